import Autodiff
import NeuralNetworks
import TensorCore

/// The DiffiT ResBlock: a convolution and a transformer block inside one residual.
///
/// Source: arXiv:2312.02139v3, eq. (9)-(10). If the width changes, a 1x1 convolution carries the
/// residual.
/// Shapes: x [B, H, W, Cin], xt [B, T] -> [B, H, W, Cout], f32.
///
/// ```swift
/// import Autodiff
/// import DiffiTModels
///
/// let parameters = ParameterSet()
/// let block = DiffiTResBlock(
///   parameters.root("encoder", 0), in: 64, out: 128, timeDim: 32, headDim: 32, window: 4,
///   dropout: 0)
/// print(type(of: block), parameters.parameterCount)
/// ```
public struct DiffiTResBlock {
  let norm: GroupNorm
  let convolution: Convolution
  let block: DiffiTBlock
  let skip: PointwiseConvolution?

  /// Declares the block.
  ///
  /// - Parameters:
  ///   - scope: where the names of the parameters begin.
  ///   - inputs: Cin.
  ///   - outputs: Cout.
  ///   - timeDim: T, the width of the time token.
  ///   - headDim: channels per attention head; divides Cout.
  ///   - window: side of the attention windows, in pixels; divides H and W.
  ///   - dropout: the rate of the dropout layers.
  ///   - zeroInit: whether the last layer of both branches of the block starts at zero.
  ///   - precision: the type of activations inside the branches.
  public init(
    _ scope: ParameterScope, in inputs: Int, out outputs: Int, timeDim: Int, headDim: Int,
    window: Int, dropout: Double, zeroInit: Bool = false, precision: DType = .float32
  ) {
    norm = GroupNorm(scope("norm"), channels: inputs, swish: true, output: precision)
    convolution = Convolution(scope("conv"), in: inputs, out: outputs, compute: precision)
    block = DiffiTBlock(
      scope("block"), width: outputs, timeDim: timeDim, heads: outputs / headDim,
      window: window, dropout: dropout, zeroInit: zeroInit, precision: precision)
    skip =
      inputs == outputs
      ? nil : PointwiseConvolution(scope("skip"), in: inputs, out: outputs, compute: precision)
  }

  /// The block's result for images x and the time token xt.
  public func callAsFunction(_ x: Variable, at xt: Variable) -> Variable {
    let hidden = convolution(norm(x))  // Conv3x3(Swish(GN(x))), eq. (9)
    let y = block(hidden, at: xt)
    return skip?(x, addedTo: y) ?? y + x  // eq. (10)
  }
}
