import Autodiff

/// y = x w + b on the last axis. Checkpoint keys: `weight`, `bias`.
///
/// Shapes: x [..., in] -> [..., out].
public struct Linear {
  public let weight: Parameter
  public let bias: Parameter?

  public init(_ scope: ParameterScope, in inputs: Int, out outputs: Int, bias: Bool = true) {
    weight = scope.parameter("weight", [inputs, outputs], .xavierUniform, layout: .linear)
    self.bias = bias ? scope.parameter("bias", [outputs], .zeros) : nil
  }

  public func callAsFunction(_ x: Variable) -> Variable { linear(x, weight, bias) }
}

/// 1x1 convolution of an NHWC image: a linear layer whose file layout is a convolution's.
public struct PointwiseConvolution {
  public let weight: Parameter
  public let bias: Parameter

  public init(_ scope: ParameterScope, in inputs: Int, out outputs: Int) {
    weight = scope.parameter(
      "weight", [1, 1, inputs, outputs], .xavierUniform, layout: .convolution)
    bias = scope.parameter("bias", [outputs], .zeros)
  }

  public func callAsFunction(_ x: Variable) -> Variable { linear(x, weight, bias) }
}
