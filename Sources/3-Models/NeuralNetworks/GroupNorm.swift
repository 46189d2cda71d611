import Autodiff
import TensorCore

/// Group norm with gain and bias, optionally followed by Swish. Checkpoint keys: `weight`, `bias`.
///
/// Shapes: x [B, H, W, C] -> the same. Groups: as many as are asked for, else the largest divisor of C that
/// is at most min(32, C / 4); epsilon 1e-6.
public struct GroupNorm {
  public let gain: Parameter
  public let bias: Parameter
  public let groups: Int
  public let swish: Bool
  let output: DType

  /// - Parameter output: precision of the result.
  public init(
    _ scope: ParameterScope, channels: Int, groups: Int? = nil, swish: Bool = false,
    output: DType = .float32
  ) {
    gain = scope.parameter("weight", [channels], .ones)
    bias = scope.parameter("bias", [channels], .zeros)
    self.groups = groups ?? Self.groups(channels: channels)
    (self.swish, self.output) = (swish, output)
  }

  public static func groups(channels: Int) -> Int {
    (1...max(1, min(32, channels / 4))).last { channels % $0 == 0 } ?? 1
  }

  public func callAsFunction(_ x: Variable) -> Variable {
    groupNorm(
      x, gain: gain, bias: bias, groups: groups, epsilon: 1e-6, swish: swish, output: output)
  }
}
