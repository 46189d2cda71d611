import Autodiff
import Operators
import TensorCore

/// 3x3 or 4x4 convolution of an NHWC image. Checkpoint keys: `weight`, `bias`.
///
/// Shapes: x [B, H, W, in] -> [B, H', W', out]; H' follows from the kind.
public struct Convolution {
  public let weight: Parameter
  public let bias: Parameter?
  public let kind: ConvolutionOperator.Kind
  let compute: DType

  /// - Parameters:
  ///   - zero: starts the weight at zero (output layers) instead of Xavier-uniform.
  ///   - initializer: what the weight starts with instead.
  ///   - compute: precision of the product; the result is f32.
  public init(
    _ scope: ParameterScope, in inputs: Int, out outputs: Int,
    _ kind: ConvolutionOperator.Kind = .same, zero: Bool = false, initializer: Initializer? = nil,
    bias: Bool = true,
    compute: DType = .float32
  ) {
    weight = scope.parameter(
      "weight", [kind.side, kind.side, inputs, outputs],
      initializer ?? (zero ? .zeros : .xavierUniform),
      layout: kind == .up ? .transposedConvolution : .convolution)
    self.bias = bias ? scope.parameter("bias", [outputs], .zeros) : nil
    (self.kind, self.compute) = (kind, compute)
  }

  public func callAsFunction(_ x: Variable) -> Variable {
    convolution(x, weight, bias, kind, compute: compute)
  }
}
