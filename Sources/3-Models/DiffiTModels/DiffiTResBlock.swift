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

  public init(
    _ scope: ParameterScope, in inputs: Int, out outputs: Int, timeDim: Int, headDim: Int,
    window: Int, dropout: Double, precision: DType = .float32
  ) {
    norm = GroupNorm(scope("norm"), channels: inputs, swish: true, output: precision)
    convolution = Convolution(scope("conv"), in: inputs, out: outputs, compute: precision)
    block = DiffiTBlock(
      scope("block"), width: outputs, timeDim: timeDim, heads: outputs / headDim,
      window: window, dropout: dropout, precision: precision)
    skip =
      inputs == outputs
      ? nil : PointwiseConvolution(scope("skip"), in: inputs, out: outputs, compute: precision)
  }

  public func callAsFunction(_ x: Variable, at xt: Variable) -> Variable {
    let hidden = convolution(norm(x))  // Conv3x3(Swish(GN(x))), eq. (9)
    let y = block(hidden, at: xt)
    return skip?(x, addedTo: y) ?? y + x  // eq. (10)
  }
}
