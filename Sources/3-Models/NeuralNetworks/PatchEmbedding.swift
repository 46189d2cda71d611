import Autodiff
import TensorCore

/// A convolution over non-overlapping patches: one token a patch. Checkpoint keys: `weight`, `bias`.
///
/// Shapes: x [B, H, W, in] -> [B, H / p, W / p, out] (`torch.nn.Conv2d(in, out, p, stride=p)`), f32.
public struct PatchEmbedding {
  public let weight: Parameter
  public let bias: Parameter
  public let patch: Int

  public init(_ scope: ParameterScope, in inputs: Int, out outputs: Int, patch: Int) {
    weight = scope.parameter(
      "weight", [patch, patch, inputs, outputs], .xavierUniform, layout: .convolution)
    bias = scope.parameter("bias", [outputs], .zeros)
    self.patch = patch
  }

  /// positions + the tokens of x. positions: [B, H / p, W / p, out].
  public func callAsFunction(_ x: Variable, addedTo positions: Variable) -> Variable {
    linear(patches(of: x, patch: patch), weight, bias, addedTo: positions)
  }
}

/// One learned row a class, and a last one for no class. Checkpoint key: `embedding_table`.
///
/// Shapes: labels [B] -> [B, width], f32 (`torch.nn.Embedding(classes + 1, width)`).
public struct LabelEmbedding {
  public let table: Parameter
  public let classes: Int

  public init(_ scope: ParameterScope, classes: Int, width: Int) {
    table = scope.parameter(
      "embedding_table.weight", [classes + 1, width], .normal(deviation: 0.02))
    self.classes = classes
  }

  /// - Parameter labels: nil: no class.
  public func callAsFunction(_ labels: [Int?], beside x: Variable) -> Variable {
    let rows = oneHot(labels.map { $0 ?? classes }, classes: classes + 1, on: x.value.context)
    return linear(x.tape?.constant(rows) ?? Variable(rows), table, nil)
  }
}
