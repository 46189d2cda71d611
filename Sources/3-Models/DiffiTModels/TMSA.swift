import Autodiff
import NeuralNetworks

/// Time-dependent multi-head self-attention (TMSA) in non-overlapping windows.
///
/// Source: arXiv:2312.02139v3, eq. (3)-(6).
/// Shapes: B batch, H W grid, C channels, T width of the time token. xs [B, H, W, C], xt [B, T] ->
/// [B, H, W, C]. Backward saves q, k, v without the time token's part; scores are computed again.
///
/// ```swift
/// import Autodiff
/// import DiffiTModels
///
/// let parameters = ParameterSet()
/// let attention = TMSA(parameters.root("attn"), width: 64, timeDim: 32, heads: 2, window: 4)
/// print(type(of: attention), parameters.parameters.map(\.name))
/// ```
public struct TMSA {
  let spatial: Linear  // Wqs, Wks, Wvs side by side
  let temporal: Linear  // Wqt, Wkt, Wvt side by side
  let bias: Parameter  // B of eq. (6): one value per head for each 2-D offset between tokens
  let projection: Linear
  let heads: Int
  let window: Int

  /// Declares the layer.
  ///
  /// - Parameters:
  ///   - scope: where the names of the parameters begin.
  ///   - width: C.
  ///   - timeDim: T.
  ///   - heads: the number of heads; divides C.
  ///   - window: side of a window, in tokens.
  ///   - last: how the weight of the projection starts.
  public init(
    _ scope: ParameterScope, width: Int, timeDim: Int, heads: Int, window: Int,
    last: Initializer = .xavierUniform
  ) {
    let offsets = (2 * window - 1) * (2 * window - 1)
    spatial = Linear(scope("qkv"), in: width, out: 3 * width)
    temporal = Linear(scope("qkv_temb"), in: timeDim, out: 3 * width)
    bias = scope("bias").parameter("table", [offsets, heads], .normal(deviation: 0.02))
    projection = Linear(scope("proj"), in: width, out: width, initializer: last)
    (self.heads, self.window) = (heads, window)
  }

  /// residual + dropout(TMSA(xs, xt)).
  public func callAsFunction(
    _ xs: Variable, at xt: Variable, addedTo residual: Variable, through dropout: Dropout
  ) -> Variable {
    let qkv = spatial.withoutBias(xs)  // xs Ws, eq. (3)-(5)
    // xt Wt and the biases: one row per image, f32, added to every token inside the operator.
    let shift = temporal(xt, withBiasOf: spatial)
    let mixed = windowAttention(  // eq. (6)
      qkv, plus: shift, bias: bias, heads: heads, window: window)
    return projection(mixed, addedTo: residual, through: dropout)
  }
}
