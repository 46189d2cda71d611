import Operators
import TensorCore

// Losses: a scalar [1], and its terms, one an image, in f64. The forward pass computes the gradient, and
// backward saves it.

/// Sum over images of weights[b] mean((x[b] - target[b])^2).
public func squaredError(_ x: Variable, _ target: Tensor, weights: [Double]) -> (
  total: Variable, terms: [Double]
) {
  let (terms, gradient) = SquaredErrorOperator.forward(x.value, target: target, weights: weights)
  return (loss(terms, gradient: gradient, at: x), terms)
}

/// Sum over images of weights[b] mean(|x[b] - target[b]|).
public func absoluteError(_ x: Variable, _ target: Tensor, weights: [Double]) -> (
  total: Variable, terms: [Double]
) {
  let (terms, gradient) = AbsoluteErrorOperator.forward(x.value, target: target, weights: weights)
  return (loss(terms, gradient: gradient, at: x), terms)
}

/// Sum over images of weights[b] times the mean hinge loss of the image's logits; see `HingeOperator`.
public func hinge(_ logits: Variable, _ kind: HingeOperator, weights: [Double]) -> (
  total: Variable, terms: [Double]
) {
  let (terms, gradient) = kind.forward(logits.value, weights: weights)
  return (loss(terms, gradient: gradient, at: logits), terms)
}

/// Sum over images of weights[b] times the distance of features; see `UnitDistanceOperator`.
public func unitDistance(
  _ x: Variable, _ target: Tensor, channelWeights: Tensor, epsilon: Float, weights: [Double]
) -> (total: Variable, terms: [Double]) {
  let (terms, gradient) = UnitDistanceOperator.forward(
    x.value, target: target, channelWeights: channelWeights, epsilon: epsilon, weights: weights)
  return (loss(terms, gradient: gradient, at: x), terms)
}

/// Sum over images of weights[b] losses[b] with DDPM's losses of a predicted noise and variance, and the
/// losses without their weights; see `NoiseErrorOperator`.
public func noiseError(
  _ prediction: Variable, noise: Tensor, clean: Tensor, distance: NoiseErrorOperator.Distance,
  bounds: [NoiseBound]?, weights: [Double]
) -> (total: Variable, losses: [Double]) {
  let (losses, gradient) = NoiseErrorOperator.forward(
    prediction.value, noise: noise, clean: clean, distance: distance, bounds: bounds,
    weights: weights)
  let terms = zip(weights, losses).map { $0 * $1 }
  return (loss(terms, gradient: gradient, at: prediction), losses)
}

/// A scalar whose value is the sum of `terms` and whose gradient at x was found elsewhere, such as on the
/// tape of another network.
///
/// Shapes: gradient as x [B, ...] -> [1]. Backward saves the gradient.
public func loss(_ terms: [Double], gradient: Tensor, at x: Variable) -> Variable {
  invariant(
    gradient.shape == x.shape && gradient.dtype == x.value.dtype,
    "loss: a gradient \(gradient.shape) \(gradient.dtype) for x \(x.shape) \(x.value.dtype)")
  let total = Tensor([Float(terms.reduce(0, +))], [1], on: x.value.context)
  let input = x.slot
  return record(total, of: x) { seed, gradients in
    gradients.add(to: input) { scaled(gradient, by: seed, images: input.shape[0]) }
  }
}

/// A loss's gradient times that of the loss, [1].
func scaled(_ gradient: Tensor, by seed: Tensor, images: Int) -> Tensor {
  let factor = seed.withFloats { $0[0] }
  return factor == 1
    ? gradient : scaled(gradient, by: [Float](repeating: factor, count: images))
}
