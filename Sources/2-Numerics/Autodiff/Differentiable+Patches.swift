import Operators
import TensorCore

/// Cuts images into square patches, one token per patch: [B, H, W, C] -> [B, H / p, W / p, p p C];
/// see `PatchOperator`. Backward saves nothing.
public func patches(of x: Variable, patch: Int) -> Variable {
  let input = x.slot
  return record(PatchOperator.tokens(x.value, patch: patch), of: x) { dy, gradients in
    gradients.add(to: input) { PatchOperator.image(dy, patch: patch) }
  }
}

/// Puts patches together to images, the inverse of `patches(of:patch:)`: [B, H / p, W / p, p p C]
/// -> [B, H, W, C]. Backward saves nothing.
public func image(ofPatches x: Variable, patch: Int) -> Variable {
  let input = x.slot
  return record(PatchOperator.image(x.value, patch: patch), of: x) { dy, gradients in
    gradients.add(to: input) { PatchOperator.tokens(dy, patch: patch) }
  }
}
