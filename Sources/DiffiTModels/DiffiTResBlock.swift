import Autodiff
import NeuralNetworks
import TensorCore

/// The DiffiT ResBlock: a convolution and a transformer block in one residual cell.
///
/// Source: arXiv:2312.02139v3, eq. (9)-(10). A 1x1 convolution carries the residual where the width
/// changes.
/// Shapes: x [B, H, W, Cin], xt [B, T] -> [B, H, W, Cout], f32.
public struct DiffiTResBlock {
  let norm: GroupNorm
  let convolution: Convolution
  let block: DiffiTBlock
  let skip: PointwiseConvolution?
  let precision: DType

  public init(
    _ scope: ParameterScope, in inputs: Int, out outputs: Int, timeWidth: Int, headWidth: Int,
    window: Int, dropout: Double, precision: DType = .float32
  ) {
    self.precision = precision
    norm = GroupNorm(scope("norm"), channels: inputs, swish: true)
    convolution = Convolution(scope("conv"), in: inputs, out: outputs)
    block = DiffiTBlock(
      scope("block"), width: outputs, timeWidth: timeWidth, heads: outputs / headWidth,
      window: window, dropout: dropout, precision: precision)
    skip =
      inputs == outputs ? nil : PointwiseConvolution(scope("skip"), in: inputs, out: outputs)
  }

  public func callAsFunction(_ x: Variable, at xt: Variable) -> Variable {
    let hidden = convolution(norm(x, output: precision))  // Conv3x3(Swish(GN(x))), eq. (9)
    let y = block(hidden, at: xt)
    return skip?(x, addedTo: y, compute: precision) ?? y + x  // eq. (10)
  }
}
