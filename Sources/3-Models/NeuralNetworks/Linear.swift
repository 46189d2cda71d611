import Autodiff
import TensorCore

/// A linear layer (dense, fully connected) on the last axis: y = x w + b. Checkpoint keys:
/// `weight`, `bias`.
///
/// Shapes: x [..., in] -> [..., out].
///
/// ```swift
/// import Autodiff
/// import NeuralNetworks
/// import TensorCore
///
/// let (context, parameters) = (ComputeContext(), ParameterSet())
/// let layer = Linear(parameters.root("head"), in: 64, out: 10)
/// parameters.seal()
/// parameters.allocate(on: context, gradients: false)
/// parameters.initialize(seed: 1)
/// print(layer(Variable(Tensor(zeros: [8, 64], on: context))).shape)  // [8, 10]
/// ```
public struct Linear {
  /// The weight, [in, out] in memory and [out, in] in files.
  public let weight: Parameter
  /// The bias, [out]; nil without one.
  public let bias: Parameter?

  /// Declares the weight and, if `bias` says so, a bias that starts at zero.
  ///
  /// - Parameters:
  ///   - scope: where the names of the parameters begin.
  ///   - inputs: width of the input.
  ///   - outputs: width of the output.
  ///   - bias: whether there is a bias.
  ///   - initializer: how the weight starts.
  public init(
    _ scope: ParameterScope, in inputs: Int, out outputs: Int, bias: Bool = true,
    initializer: Initializer = .xavierUniform
  ) {
    weight = scope.parameter("weight", [inputs, outputs], initializer, layout: .linear)
    self.bias = bias ? scope.parameter("bias", [outputs], .zeros) : nil
  }

  /// x w + b, in the type of x.
  public func callAsFunction(_ x: Variable) -> Variable { linear(x, weight, bias) }

  /// x w, for a layer whose bias another layer adds.
  public func withoutBias(_ x: Variable) -> Variable { linear(x, weight, nil) }

  /// x w + b, plus the bias of `other`, which leaves it out.
  public func callAsFunction(_ x: Variable, withBiasOf other: Linear) -> Variable {
    other.bias.map { linear(x, weight, bias, plus: $0) } ?? self(x)
  }

  /// residual + dropout(x w + b), f32.
  public func callAsFunction(
    _ x: Variable, addedTo residual: Variable, through dropout: Dropout? = nil
  ) -> Variable {
    linear(x, weight, bias, addedTo: residual, through: dropout)
  }
}

/// Two linear layers with GELU between them (MLP, feed-forward network). Checkpoint keys: `fc1`,
/// `fc2`.
///
/// Shapes: x [..., C] -> [..., C].
public struct MultilayerPerceptron {
  /// The first layer, [C] -> [hidden].
  public let expand: Linear
  /// The second layer, [hidden] -> [C].
  public let contract: Linear

  /// Declares weight and bias.
  ///
  /// - Parameters:
  ///   - scope: where the names of the parameters begin.
  ///   - inputs: channels of the input.
  ///   - outputs: channels of the output.
  ///   - last: how the weight of the second layer starts.
  public init(
    _ scope: ParameterScope, width: Int, hidden: Int, last: Initializer = .xavierUniform
  ) {
    expand = Linear(scope("fc1"), in: width, out: hidden)
    contract = Linear(scope("fc2"), in: hidden, out: width, initializer: last)
  }

  /// residual + dropout(W2 GELU(W1 x)), f32.
  public func callAsFunction(
    _ x: Variable, addedTo residual: Variable, through dropout: Dropout
  ) -> Variable {
    multilayerPerceptron(
      x, expand.weight, expand.bias, contract.weight, contract.bias, addedTo: residual,
      through: dropout)
  }
}

/// A 1x1 convolution of NHWC images: a linear layer per pixel, whose weight has a convolution's
/// layout in files. Checkpoint keys: `weight`, `bias`.
public struct PointwiseConvolution {
  /// The weight, [1, 1, in, out] in memory.
  public let weight: Parameter
  /// The bias, [out].
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
