import Autodiff
import NeuralNetworks

/// The DiffiT transformer block: TMSA and an MLP of ratio 4, each behind a layer norm and a residual.
///
/// Source: arXiv:2312.02139v3, eq. (7)-(8). Layer norm has no gain or bias, epsilon 1e-6.
/// Shapes: x [B, H, W, C], xt [B, T] -> [B, H, W, C].
public struct DiffiTBlock {
  let attention: TMSA
  let attentionDropout: Int
  let expand: Linear
  let contract: Linear
  let mlpDropout: Int
  let rate: Double

  public init(
    _ scope: ParameterScope, width: Int, timeWidth: Int, heads: Int, window: Int, dropout: Double
  ) {
    attention = TMSA(
      scope("attn"), width: width, timeWidth: timeWidth, heads: heads, window: window)
    attentionDropout = scope.dropoutLayer()
    expand = Linear(scope("mlp", "fc1"), in: width, out: 4 * width)
    contract = Linear(scope("mlp", "fc2"), in: 4 * width, out: width)
    mlpDropout = scope.dropoutLayer()
    rate = dropout
  }

  public func callAsFunction(_ x: Variable, at xt: Variable) -> Variable {
    let x = x + dropout(attention(norm(x), at: xt), rate: rate, layer: attentionDropout)  // eq. (7)
    return x + dropout(mlp(norm(x)), rate: rate, layer: mlpDropout)  // eq. (8)
  }

  private func norm(_ x: Variable) -> Variable { layerNorm(x, epsilon: 1e-6) }
  private func mlp(_ x: Variable) -> Variable { contract(gelu(expand(x))) }
}
