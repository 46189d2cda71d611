import Autodiff
import NeuralNetworks
import TensorCore

/// The DiffiT transformer block: TMSA and an MLP of ratio 4, each behind a layer norm and a residual.
///
/// Source: arXiv:2312.02139v3, eq. (7)-(8). Layer norm has no gain or bias, epsilon 1e-6.
/// Shapes: x [B, H, W, C], xt [B, T] -> [B, H, W, C], f32; inside the branches `precision`.
public struct DiffiTBlock {
  let attention: TMSA
  let attentionDropout: Dropout
  let mlp: MultilayerPerceptron
  let mlpDropout: Dropout
  let precision: DType

  public init(
    _ scope: ParameterScope, width: Int, timeDim: Int, heads: Int, window: Int, dropout: Double,
    precision: DType = .float32
  ) {
    self.precision = precision
    attention = TMSA(
      scope("attn"), width: width, timeDim: timeDim, heads: heads, window: window)
    attentionDropout = Dropout(scope, rate: dropout)
    mlp = MultilayerPerceptron(scope("mlp"), width: width, hidden: 4 * width)
    mlpDropout = Dropout(scope, rate: dropout)
  }

  public func callAsFunction(_ x: Variable, at xt: Variable) -> Variable {
    let x = attention(norm(x), at: xt, addedTo: x, through: attentionDropout)  // eq. (7)
    return mlp(norm(x), addedTo: x, through: mlpDropout)  // eq. (8)
  }

  private func norm(_ x: Variable) -> Variable { layerNorm(x, epsilon: 1e-6, output: precision) }
}
