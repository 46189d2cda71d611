import Autodiff
import TensorCore

/// y = x w + b on the last axis. Checkpoint keys: `weight`, `bias`.
///
/// Shapes: x [..., in] -> [..., out].
public struct Linear {
  public let weight: Parameter
  public let bias: Parameter?

  public init(
    _ scope: ParameterScope, in inputs: Int, out outputs: Int, bias: Bool = true,
    initializer: Initializer = .xavierUniform
  ) {
    weight = scope.parameter("weight", [inputs, outputs], initializer, layout: .linear)
    self.bias = bias ? scope.parameter("bias", [outputs], .zeros) : nil
  }

  public func callAsFunction(_ x: Variable) -> Variable { linear(x, weight, bias) }

  /// x w: the bias is added by another layer.
  public func withoutBias(_ x: Variable) -> Variable { linear(x, weight, nil) }

  /// x w + b, and the bias that `other` leaves out.
  public func callAsFunction(_ x: Variable, withBiasOf other: Linear) -> Variable {
    other.bias.map { linear(x, weight, bias, plus: $0) } ?? self(x)
  }

  /// residual + dropout(x w + b).
  public func callAsFunction(
    _ x: Variable, addedTo residual: Variable, through dropout: Dropout? = nil
  ) -> Variable {
    linear(x, weight, bias, addedTo: residual, through: dropout)
  }
}

/// Two linear layers with GELU between them. Checkpoint keys: `fc1`, `fc2`.
///
/// Shapes: x [..., C] -> [..., C].
public struct MultilayerPerceptron {
  let expand: Linear
  let contract: Linear

  public init(_ scope: ParameterScope, width: Int, hidden: Int) {
    expand = Linear(scope("fc1"), in: width, out: hidden)
    contract = Linear(scope("fc2"), in: hidden, out: width)
  }

  /// residual + dropout(W2 GELU(W1 x)).
  public func callAsFunction(
    _ x: Variable, addedTo residual: Variable, through dropout: Dropout
  ) -> Variable {
    multilayerPerceptron(
      x, expand.weight, expand.bias, contract.weight, contract.bias, addedTo: residual,
      through: dropout)
  }
}

/// 1x1 convolution of an NHWC image: a linear layer whose file layout is a convolution's.
public struct PointwiseConvolution {
  public let weight: Parameter
  public let bias: Parameter
  let compute: DType

  /// - Parameter compute: precision of the product.
  public init(
    _ scope: ParameterScope, in inputs: Int, out outputs: Int,
    initializer: Initializer = .xavierUniform, compute: DType = .float32
  ) {
    self.compute = compute
    weight = scope.parameter(
      "weight", [1, 1, inputs, outputs], initializer, layout: .convolution)
    bias = scope.parameter("bias", [outputs], .zeros)
  }

  /// x w + b, in the type of x.
  public func callAsFunction(_ x: Variable) -> Variable { linear(x, weight, bias) }

  /// residual + x w + b, f32.
  public func callAsFunction(_ x: Variable, addedTo residual: Variable) -> Variable {
    linear(x, weight, bias, addedTo: residual, compute: compute)
  }
}
