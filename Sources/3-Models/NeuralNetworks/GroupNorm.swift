import Autodiff
import TensorCore

/// Group norm with gain and bias, optionally followed by Swish. Checkpoint keys: `weight`, `bias`.
///
/// Shapes: x [B, H, W, C] -> the same. By default the number of groups is the largest divisor of C
/// that is at most min(32, C / 4). Epsilon is 1e-6.
///
/// ```swift
/// import Autodiff
/// import NeuralNetworks
///
/// let parameters = ParameterSet()
/// let norm = GroupNorm(parameters.root("norm"), channels: 128, swish: true)
/// print(norm.groups)  // 32
/// ```
public struct GroupNorm {
  /// The gain (PyTorch: `weight`), [C]; starts at 1.
  public let gain: Parameter
  /// The bias, [C]; starts at 0.
  public let bias: Parameter
  /// The number of groups.
  public let groups: Int
  /// Whether Swish follows.
  public let swish: Bool
  let output: DType

  /// Declares gain and bias.
  ///
  /// - Parameters:
  ///   - scope: where the names of the parameters begin.
  ///   - channels: C.
  ///   - groups: the number of groups, a divisor of C; nil for the default.
  ///   - swish: whether Swish follows.
  ///   - output: the type of the result.
  public init(
    _ scope: ParameterScope, channels: Int, groups: Int? = nil, swish: Bool = false,
    output: DType = .float32
  ) {
    gain = scope.parameter("weight", [channels], .ones)
    bias = scope.parameter("bias", [channels], .zeros)
    self.groups = groups ?? Self.groups(channels: channels)
    (self.swish, self.output) = (swish, output)
  }

  /// The default number of groups for so many channels.
  public static func groups(channels: Int) -> Int {
    (1...max(1, min(32, channels / 4))).last { channels % $0 == 0 } ?? 1
  }

  /// The normalised x, in the type given to `init`.
  public func callAsFunction(_ x: Variable) -> Variable {
    groupNorm(
      x, gain: gain, bias: bias, groups: groups, epsilon: 1e-6, swish: swish, output: output)
  }
}
