import Autodiff
import TensorCore

/// Embeds images as tokens, one per non-overlapping patch, by a linear layer per patch. Checkpoint
/// keys: `weight`, `bias`.
///
/// Shapes: x [B, H, W, in] -> [B, H / p, W / p, out] (`torch.nn.Conv2d(in, out, p, stride=p)`),
/// f32.
///
/// ```swift
/// import Autodiff
/// import NeuralNetworks
/// import TensorCore
///
/// let (context, parameters) = (ComputeContext(), ParameterSet())
/// let embed = PatchEmbedding(parameters.root("proj"), in: 4, out: 64, patch: 2)
/// parameters.seal()
/// parameters.allocate(on: context, gradients: false)
/// let positions = positionTable(side: 16, width: 64, on: context).reshaped([1, 16, 16, 64])
/// let latents = Variable(Tensor(zeros: [1, 32, 32, 4], on: context))
/// print(embed(latents, addedTo: Variable(positions)).shape)  // [1, 16, 16, 64]
/// ```
public struct PatchEmbedding {
  /// The weight, [p, p, in, out] in memory.
  public let weight: Parameter
  /// The bias, [out].
  public let bias: Parameter
  /// p, the side of a patch in pixels.
  public let patch: Int

  /// Declares weight and bias.
  ///
  /// - Parameters:
  ///   - scope: where the names of the parameters begin.
  ///   - inputs: channels of the images.
  ///   - outputs: width of the tokens.
  ///   - patch: side of a patch in pixels.
  public init(_ scope: ParameterScope, in inputs: Int, out outputs: Int, patch: Int) {
    weight = scope.parameter(
      "weight", [patch, patch, inputs, outputs], .xavierUniform, layout: .convolution)
    bias = scope.parameter("bias", [outputs], .zeros)
    self.patch = patch
  }

  /// The tokens of x plus `positions`, [B, H / p, W / p, out].
  public func callAsFunction(_ x: Variable, addedTo positions: Variable) -> Variable {
    linear(patches(of: x, patch: patch), weight, bias, addedTo: positions)
  }
}

/// A learned vector per class, and a last one for images without a label. Checkpoint key:
/// `embedding_table`.
///
/// Shapes: labels [B] -> [B, width], f32 (`torch.nn.Embedding(classes + 1, width)`).
///
/// ```swift
/// import Autodiff
/// import NeuralNetworks
///
/// let parameters = ParameterSet()
/// let labels = LabelEmbedding(parameters.root("y_embedder"), classes: 10, width: 64)
/// print(labels.table.shape)  // [11, 64]
/// ```
public struct LabelEmbedding {
  /// The vectors, [classes + 1, width].
  public let table: Parameter
  /// The number of classes.
  public let classes: Int

  /// Declares the table.
  ///
  /// - Parameters:
  ///   - scope: where the name of the parameter begins.
  ///   - classes: the number of classes.
  ///   - width: width of a vector.
  public init(_ scope: ParameterScope, classes: Int, width: Int) {
    table = scope.parameter(
      "embedding_table.weight", [classes + 1, width], .normal(deviation: 0.02))
    self.classes = classes
  }

  /// The vector of each label.
  ///
  /// - Parameters:
  ///   - labels: classes, [B]; nil for no label.
  ///   - x: a variable of the same pass, whose tape records the table's use.
  public func callAsFunction(_ labels: [Int?], beside x: Variable) -> Variable {
    let rows = oneHot(labels.map { $0 ?? classes }, classes: classes + 1, on: x.value.context)
    return linear(x.tape?.constant(rows) ?? Variable(rows), table, nil)
  }
}
