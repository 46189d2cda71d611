import Autodiff
import NeuralNetworks
import TensorCore

/// The DiffiT transformer block: TMSA, then an MLP with four times the width inside, each after a
/// layer norm and inside a residual.
///
/// Source: arXiv:2312.02139v3, eq. (7)-(8). The layer norms have no gain or bias, epsilon 1e-6.
/// Shapes: x [B, H, W, C], xt [B, T] -> [B, H, W, C], f32; inside the branches `precision`.
///
/// ```swift
/// import Autodiff
/// import DiffiTModels
/// import TensorCore
///
/// let (context, parameters) = (ComputeContext(), ParameterSet())
/// let block = DiffiTBlock(
///   parameters.root("block"), width: 64, timeDim: 32, heads: 2, window: 4, dropout: 0)
/// parameters.seal()
/// parameters.allocate(on: context, gradients: false)
/// parameters.initialize(seed: 1)
/// let x = Variable(Tensor(zeros: [1, 8, 8, 64], on: context))
/// let time = Variable(Tensor(zeros: [1, 32], on: context))
/// print(block(x, at: time).shape)  // [1, 8, 8, 64]
/// ```
public struct DiffiTBlock {
  let attention: TMSA
  let attentionDropout: Dropout
  let mlp: MultilayerPerceptron
  let mlpDropout: Dropout
  let precision: DType

  /// Declares the block.
  ///
  /// - Parameters:
  ///   - scope: where the names of the parameters begin.
  ///   - width: C.
  ///   - timeDim: T, the width of the time token.
  ///   - heads: the number of attention heads; divides C.
  ///   - window: side of the attention windows, in tokens; divides H and W.
  ///   - dropout: the rate of both dropout layers.
  ///   - zeroInit: whether the last layer of both branches starts at zero.
  ///   - precision: the type of activations inside the branches.
  public init(
    _ scope: ParameterScope, width: Int, timeDim: Int, heads: Int, window: Int, dropout: Double,
    zeroInit: Bool = false, precision: DType = .float32
  ) {
    self.precision = precision
    let last: Initializer = zeroInit ? .zeros : .xavierUniform
    attention = TMSA(
      scope("attn"), width: width, timeDim: timeDim, heads: heads, window: window, last: last)
    attentionDropout = Dropout(scope, rate: dropout)
    mlp = MultilayerPerceptron(scope("mlp"), width: width, hidden: 4 * width, last: last)
    mlpDropout = Dropout(scope, rate: dropout)
  }

  /// The block's result for tokens x and the time token xt.
  public func callAsFunction(_ x: Variable, at xt: Variable) -> Variable {
    let x = attention(norm(x), at: xt, addedTo: x, through: attentionDropout)  // eq. (7)
    return mlp(norm(x), addedTo: x, through: mlpDropout)  // eq. (8)
  }

  private func norm(_ x: Variable) -> Variable { layerNorm(x, epsilon: 1e-6, output: precision) }
}
