import Operators
import TensorCore

/// x sigmoid(x). Backward saves x.
public func silu(_ x: Variable) -> Variable { activation(x, .silu) }

/// GELU in its tanh form. Backward saves x.
public func gelu(_ x: Variable) -> Variable { activation(x, .gelu) }

private func activation(_ x: Variable, _ kind: ActivationOperator) -> Variable {
  record(kind.forward(x.value), of: x) { dy, gradients in
    gradients.add(to: x.slot) { kind.gradient(dy, x: x.value) }
  }
}

public func + (a: Variable, b: Variable) -> Variable {
  let (first, second) = (a.slot, b.slot)
  return record(sum(a.value, b.value), of: a, b) { dy, gradients in
    gradients.add(to: first) { dy }
    gradients.add(to: second) { dy }
  }
}

/// Channels side by side: [..., A], [..., B] -> [..., A + B].
public func concatenate(_ a: Variable, _ b: Variable) -> Variable {
  let (first, second) = (a.slot, b.slot)
  return record(concatenated(a.value, b.value), of: a, b) { dy, gradients in
    let width = first.shape.channels
    gradients.add(to: first) { channels(0..<width, of: dy) }
    gradients.add(to: second) { channels(width..<width + second.shape.channels, of: dy) }
  }
}

/// y[b, ...] = factors[b] x[b, ...] + c[b, ...], c a constant.
public func scale(_ x: Variable, by factors: [Float], plus c: Tensor? = nil) -> Variable {
  let input = x.slot
  return record(scaled(x.value, by: factors, plus: c), of: x) { dy, gradients in
    gradients.add(to: input) { scaled(dy, by: factors) }
  }
}

/// One dropout of a network: its rate, and the number of its random stream.
public struct Dropout: Sendable {
  let rate: Double
  let layer: Int

  public init(rate: Double, layer: Int) { (self.rate, self.layer) = (rate, layer) }

  public init(_ scope: ParameterScope, rate: Double) {
    self.init(rate: rate, layer: scope.dropoutLayer())
  }

  /// The mask, where the tape of `x` says that this pass trains.
  func mask(beside x: Variable) -> DropoutOperator? {
    guard rate > 0, let source = x.tape?.dropout else { return nil }
    return DropoutOperator(
      rate: rate, seed: source.seed, layer: layer, positions: source.positions)
  }
}

/// Sum over images of weights[b] mean((x[b] - target[b])^2), as a scalar [1], and its terms in f64.
/// Backward saves the gradient, which the forward pass computes.
public func squaredError(_ x: Variable, _ target: Tensor, weights: [Double]) -> (
  total: Variable, terms: [Double]
) {
  let (terms, gradient) = SquaredErrorOperator.forward(x.value, target: target, weights: weights)
  return (scalar(terms.reduce(0, +), gradient: gradient, of: x), terms)
}

/// Sum over images of weights[b] losses[b], as a scalar [1], with DDPM's losses of a predicted noise and
/// variance (`NoiseErrorOperator`), and the losses in f64. Backward saves the gradient, which the forward
/// pass computes.
public func noiseError(
  _ prediction: Variable, noise: Tensor, clean: Tensor, distance: NoiseErrorOperator.Distance,
  bounds: [NoiseBound]?, weights: [Double]
) -> (total: Variable, losses: [Double]) {
  let (losses, gradient) = NoiseErrorOperator.forward(
    prediction.value, noise: noise, clean: clean, distance: distance, bounds: bounds,
    weights: weights)
  let total = zip(weights, losses).reduce(0) { $0 + $1.0 * $1.1 }
  return (scalar(total, gradient: gradient, of: prediction), losses)
}

/// A loss of `x` as a scalar [1] whose gradient is known: [B, ...].
private func scalar(_ value: Double, gradient: Tensor, of x: Variable) -> Variable {
  let input = x.slot
  return record(Tensor([Float(value)], [1], on: x.value.engine), of: x) { seed, gradients in
    let factor = seed.withFloats { $0[0] }
    gradients.add(to: input) {
      factor == 1
        ? gradient
        : scaled(gradient, by: [Float](repeating: factor, count: gradient.shape[0]))
    }
  }
}
