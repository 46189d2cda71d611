import Operators
import TensorCore

/// An image's square patches as tokens: [B, H, W, C] -> [B, H / p, W / p, p p C]; see `PatchOperator`.
public func patches(of x: Variable, patch: Int) -> Variable {
  let input = x.slot
  return record(PatchOperator.tokens(x.value, patch: patch), of: x) { dy, gradients in
    gradients.add(to: input) { PatchOperator.image(dy, patch: patch) }
  }
}

/// The image whose patches are given: [B, H / p, W / p, p p C] -> [B, H, W, C].
public func image(ofPatches x: Variable, patch: Int) -> Variable {
  let input = x.slot
  return record(PatchOperator.image(x.value, patch: patch), of: x) { dy, gradients in
    gradients.add(to: input) { PatchOperator.tokens(dy, patch: patch) }
  }
}
