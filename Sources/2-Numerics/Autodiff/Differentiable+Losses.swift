import Operators
import TensorCore

// Each loss returns a scalar [1], and one term per image in f64. The forward pass already computes
// the gradient, and backward saves it.

/// The mean squared error (MSE) per image: the sum over images of weights[b] mean((x[b] -
/// target[b])^2).
///
/// Shapes: x and target [B, ...], weights [B] -> total [1] and one term per image, weight included.
public func squaredError(_ x: Variable, _ target: Tensor, weights: [Double]) -> (
  total: Variable, terms: [Double]
) {
  let (terms, gradient) = SquaredErrorOperator.forward(x.value, target: target, weights: weights)
  return (loss(terms, gradient: gradient, at: x), terms)
}

/// The mean absolute error (L1) per image: the sum over images of weights[b] mean(|x[b] -
/// target[b]|).
///
/// Shapes: x and target [B, ...], weights [B] -> total [1] and one term per image, weight included.
public func absoluteError(_ x: Variable, _ target: Tensor, weights: [Double]) -> (
  total: Variable, terms: [Double]
) {
  let (terms, gradient) = AbsoluteErrorOperator.forward(x.value, target: target, weights: weights)
  return (loss(terms, gradient: gradient, at: x), terms)
}

/// The sum over images of weights[b] times the mean hinge loss of the image's logits; see
/// `HingeOperator`.
///
/// Shapes: logits [B, ...], weights [B] -> total [1] and one term per image, weight included.
public func hinge(_ logits: Variable, _ kind: HingeOperator, weights: [Double]) -> (
  total: Variable, terms: [Double]
) {
  let (terms, gradient) = kind.forward(logits.value, weights: weights)
  return (loss(terms, gradient: gradient, at: logits), terms)
}

/// The sum over images of weights[b] times the distance between normalised features; see
/// `UnitDistanceOperator`.
///
/// Shapes: x and target [B, H, W, C], channelWeights [C], weights [B] -> total [1] and one term per
/// image, weight included.
public func unitDistance(
  _ x: Variable, _ target: Tensor, channelWeights: Tensor, epsilon: Float, weights: [Double]
) -> (total: Variable, terms: [Double]) {
  let (terms, gradient) = UnitDistanceOperator.forward(
    x.value, target: target, channelWeights: channelWeights, epsilon: epsilon, weights: weights)
  return (loss(terms, gradient: gradient, at: x), terms)
}

/// The sum over images of weights[b] losses[b], where losses[b] is DDPM's loss of a predicted noise
/// (and of a predicted variance, with bounds). It also returns the losses without their weights;
/// see `NoiseErrorOperator`.
///
/// Shapes: prediction [B, H, W, C] or [B, H, W, 2 C]; noise and clean [B, H, W, C]; bounds and
/// weights [B].
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

/// A scalar whose value is the sum of `terms` and whose gradient with respect to x was computed
/// elsewhere, such as on the tape of another network.
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

/// The gradient of a loss, multiplied by the gradient of the loss's own value, [1].
func scaled(_ gradient: Tensor, by seed: Tensor, images: Int) -> Tensor {
  let factor = seed.withFloats { $0[0] }
  return factor == 1
    ? gradient : scaled(gradient, by: [Float](repeating: factor, count: images))
}
