import Autodiff

/// A weight between hidden layers, which a matrix optimiser such as Muon can update as a whole. The
/// first and the last layer, embeddings, the path of the time token, biases and norms are none.
public struct HiddenMatrix {
  /// The weight: [..., outputs] in memory, of which all axes but the last are the fan-in.
  public let parameter: Parameter
  /// Number of matrices side by side in the last axis, such as 3 for queries, keys and values.
  public let parts: Int

  /// A weight of `parts` matrices.
  init(_ parameter: Parameter, parts: Int = 1) { (self.parameter, self.parts) = (parameter, parts) }

  /// The fan-in: input channels, times the kernel's size of a convolution.
  public var rows: Int { parameter.count / parameter.shape.channels }
}

extension DiffiTBlock {
  /// Weights of the projections and of the MLP. What makes queries, keys and values of the time
  /// token belongs to the path of time.
  var hiddenMatrices: [HiddenMatrix] {
    [
      HiddenMatrix(attention.spatial.weight, parts: 3), HiddenMatrix(attention.projection.weight),
      HiddenMatrix(mlp.expand.weight), HiddenMatrix(mlp.contract.weight),
    ]
  }
}

extension DiffiTResBlock {
  /// Weights of the convolutions and of the transformer block.
  var hiddenMatrices: [HiddenMatrix] {
    [HiddenMatrix(convolution.weight)] + block.hiddenMatrices
      + (skip.map { [HiddenMatrix($0.weight)] } ?? [])
  }
}

extension ImageDiffiT {
  /// Weights between the tokenizer and the head.
  public var hiddenMatrices: [HiddenMatrix] {
    (encoder + decoder).flatMap { stage in
      stage.blocks.flatMap(\.hiddenMatrices)
        + (stage.resample.map { [HiddenMatrix($0.weight)] } ?? [])
    }
  }
}

extension LatentDiffiT {
  /// Weights between the embedding of patches and the head.
  public var hiddenMatrices: [HiddenMatrix] { blocks.flatMap(\.hiddenMatrices) }
}
