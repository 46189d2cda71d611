import Operators
import TensorCore

/// Group norm, optionally followed by Swish in the same pass; see `GroupNormOperator`.
///
/// Shapes: x [B, H, W, C], f32 -> the same, f32 or bf16; gain and bias [C]. Backward saves x and
/// the statistics [B, 2, C].
public func groupNorm(
  _ x: Variable, gain: Parameter, bias: Parameter, groups: Int, epsilon: Float, swish: Bool,
  output: DType = .float32
) -> Variable {
  groupNorm(
    x, gain: gain.beside(x), bias: bias.beside(x), groups: groups, epsilon: epsilon, swish: swish,
    output: output)
}

/// Group norm whose gain and bias are variables; otherwise the same.
public func groupNorm(
  _ x: Variable, gain: Variable, bias: Variable, groups: Int, epsilon: Float, swish: Bool,
  output: DType = .float32
) -> Variable {
  let (y, statistics) = GroupNormOperator.forward(
    x.value, gamma: gain.value, beta: bias.value, groups: groups, epsilon: epsilon, swish: swish,
    output: output)
  return record(y, of: x, gain, bias) { dy, gradients in
    let (dx, shares) = GroupNormOperator.gradient(
      dy, x: x.value, gamma: gain.value, beta: bias.value, statistics: statistics, groups: groups,
      swish: swish, plus: gradients.take(x.slot))
    gradients.add(to: x.slot) { dx }
    gradients.write(to: bias.slot) {
      GroupNormOperator.parameterGradient(shares, row: 0, into: $0, accumulate: $1)
    }
    gradients.write(to: gain.slot) {
      GroupNormOperator.parameterGradient(shares, row: 1, into: $0, accumulate: $1)
    }
  }
}

/// Layer norm without gain or bias; see `LayerNormOperator`.
///
/// Shapes: x [..., C], f32 -> the same, f32 or bf16. Backward saves y and 1 / standard deviation
/// per row.
public func layerNorm(_ x: Variable, epsilon: Float, output: DType = .float32) -> Variable {
  let (y, inverse) = LayerNormOperator.forward(x.value, epsilon: epsilon, output: output)
  let input = x.slot
  return record(y, of: x) { dy, gradients in
    gradients.add(to: input) {
      LayerNormOperator.gradient(
        dy, y: y, inverseDeviation: inverse, plus: gradients.take(input))
    }
  }
}
