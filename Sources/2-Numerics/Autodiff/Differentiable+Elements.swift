import Operators
import TensorCore

/// SiLU, also called Swish: x sigmoid(x). Backward saves x.
public func silu(_ x: Variable) -> Variable { activation(x, .silu) }

/// GELU in its tanh form. Backward saves x.
public func gelu(_ x: Variable) -> Variable { activation(x, .gelu) }

/// Leaky ReLU: x if x is above 0, else slope x; a slope of 0 is ReLU. Backward saves the result.
public func leakyReLU(_ x: Variable, slope: Float) -> Variable {
  let y = LeakyReLUOperator.forward(x.value, slope: slope)
  let input = x.slot
  return record(y, of: x) { dy, gradients in
    gradients.add(to: input) { LeakyReLUOperator.gradient(dy, y: y, slope: slope) }
  }
}

/// The largest value of each window (max pooling), for windows that share no pixel; see
/// `PoolOperator`.
///
/// Shapes: x [B, H, W, C] -> [B, H', W', C]. Backward saves x and the result.
public func maximumPool(_ x: Variable, _ window: ImageWindow) -> Variable {
  let y = PoolOperator.maximum(x.value, window)
  return record(y, of: x) { dy, gradients in
    gradients.add(to: x.slot) {
      PoolOperator.maximumGradient(dy, x: x.value, y: y, window)
    }
  }
}

private func activation(_ x: Variable, _ kind: ActivationOperator) -> Variable {
  record(kind.forward(x.value), of: x) { dy, gradients in
    gradients.add(to: x.slot) { kind.gradient(dy, x: x.value) }
  }
}

/// a + b, element by element; both have the same shape and type. Backward saves nothing.
public func + (a: Variable, b: Variable) -> Variable {
  let (first, second) = (a.slot, b.slot)
  return record(sum(a.value, b.value), of: a, b) { dy, gradients in
    gradients.add(to: first) { dy }
    gradients.add(to: second) { dy }
  }
}

/// The channels of two variables side by side: [..., A], [..., B] -> [..., A + B]. Backward saves
/// nothing.
public func concatenate(_ a: Variable, _ b: Variable) -> Variable {
  let (first, second) = (a.slot, b.slot)
  return record(concatenated(a.value, b.value), of: a, b) { dy, gradients in
    let width = first.shape.channels
    gradients.add(to: first) { channels(0..<width, of: dy) }
    gradients.add(to: second) { channels(width..<width + second.shape.channels, of: dy) }
  }
}

/// Scales each image: y[b, ...] = factors[b] x[b, ...] + c[b, ...], where c is a constant without a
/// gradient.
///
/// Shapes: x and c [B, ...], factors [B] -> [B, ...], f32. Backward saves the factors.
public func scale(_ x: Variable, by factors: [Float], plus c: Tensor? = nil) -> Variable {
  let input = x.slot
  return record(scaled(x.value, by: factors, plus: c), of: x) { dy, gradients in
    gradients.add(to: input) { scaled(dy, by: factors) }
  }
}

/// One dropout layer of a network: its rate, and the number of its random stream.
public struct Dropout: Sendable {
  let rate: Double
  let layer: Int

  /// A dropout layer with a given number.
  ///
  /// - Parameters:
  ///   - rate: the probability that an element becomes zero, in [0, 1).
  ///   - layer: the number of its random stream; no two layers of a network share one.
  public init(rate: Double, layer: Int) { (self.rate, self.layer) = (rate, layer) }

  /// A dropout layer with the next free number of the network.
  ///
  /// - Parameters:
  ///   - scope: any scope of the network.
  ///   - rate: the probability that an element becomes zero, in [0, 1).
  public init(_ scope: ParameterScope, rate: Double) {
    self.init(rate: rate, layer: scope.dropoutLayer())
  }

  /// The mask for a forward pass; nil if the rate is 0 or the tape of `x` has no dropout, as in
  /// sampling.
  func mask(beside x: Variable) -> DropoutOperator? {
    guard rate > 0, let source = x.tape?.dropout else { return nil }
    return DropoutOperator(
      rate: rate, seed: source.seed, layer: layer, positions: source.positions)
  }
}
