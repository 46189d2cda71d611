import Autodiff
import Operators
import TensorCore

/// 3x3 convolution of an NHWC image. Checkpoint keys: `weight`, `bias`.
///
/// Shapes: x [B, H, W, in] -> [B, H', W', out]; H' = H (`same`), ceil(H / 2) (`down`), 2 H (`up`).
public struct Convolution {
  public let weight: Parameter
  public let bias: Parameter
  public let kind: ConvolutionOperator.Kind

  /// - Parameter zero: starts the weight at zero (output layers) instead of Xavier-uniform.
  public init(
    _ scope: ParameterScope, in inputs: Int, out outputs: Int,
    _ kind: ConvolutionOperator.Kind = .same, zero: Bool = false
  ) {
    weight = scope.parameter(
      "weight", [3, 3, inputs, outputs], zero ? .zeros : .xavierUniform,
      layout: kind == .up ? .transposedConvolution : .convolution)
    bias = scope.parameter("bias", [outputs], .zeros)
    self.kind = kind
  }

  /// - Parameter compute: precision of the product, where it is not that of x; the result is f32.
  public func callAsFunction(_ x: Variable, compute: DType? = nil) -> Variable {
    convolution(x, weight, bias, kind, compute: compute)
  }
}
