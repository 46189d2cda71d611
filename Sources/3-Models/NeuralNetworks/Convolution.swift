import Autodiff
import Operators
import TensorCore

/// A 3x3 or 4x4 convolution of NHWC images. Checkpoint keys: `weight`, `bias`.
///
/// Shapes: x [B, H, W, in] -> [B, H', W', out], f32; the kind determines H'.
///
/// ```swift
/// import Autodiff
/// import NeuralNetworks
/// import TensorCore
///
/// let (context, parameters) = (ComputeContext(), ParameterSet())
/// let down = Convolution(parameters.root("down"), in: 3, out: 64, .down)  // 3x3, stride 2
/// parameters.seal()
/// parameters.allocate(on: context, gradients: false)
/// parameters.initialize(seed: 1)
/// print(down(Variable(Tensor(zeros: [1, 32, 32, 3], on: context))).shape)  // [1, 16, 16, 64]
/// ```
public struct Convolution {
  /// The weight, [s, s, in, out] in memory.
  public let weight: Parameter
  /// The bias, [out]; nil without one.
  public let bias: Parameter?
  /// The kernel size, stride and padding.
  public let kind: ConvolutionOperator.Kind
  let compute: DType

  /// Declares the weight and, if `bias` says so, a bias that starts at zero.
  ///
  /// - Parameters:
  ///   - scope: where the names of the parameters begin.
  ///   - inputs: channels of the input.
  ///   - outputs: channels of the output.
  ///   - kind: kernel size, stride and padding.
  ///   - zero: whether the weight starts at zero, as in output layers; otherwise Xavier-uniform.
  ///   - initializer: another start of the weight, which overrides `zero`.
  ///   - bias: whether there is a bias.
  ///   - compute: the precision of the product; the result is f32.
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

  /// x convolved with the weight, plus the bias.
  public func callAsFunction(_ x: Variable) -> Variable {
    convolution(x, weight, bias, kind, compute: compute)
  }
}
