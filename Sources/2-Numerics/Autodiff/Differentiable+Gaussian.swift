import Operators
import TensorCore

/// Reads the two halves of the channels as the mean and log variance of Gaussians, and clamps the
/// log variance to `limits`; see `GaussianMomentsOperator`.
///
/// Shapes: x [..., 2 C] -> mean and logVariance [..., C], f32. Backward saves x.
public func gaussianMoments(
  _ x: Variable, limits: ClosedRange<Float>
) -> (mean: Variable, logVariance: Variable) {
  let (mean, log) = GaussianMomentsOperator.forward(x.value, limits: limits)
  let input = x.slot
  return (
    record(mean, of: x) { dmean, gradients in
      gradients.add(to: input) { GaussianMomentsOperator.gradient(ofMean: dmean) }
    },
    record(log, of: x) { dlog, gradients in
      gradients.add(to: input) {
        GaussianMomentsOperator.gradient(ofLogVariance: dlog, x: x.value, limits: limits)
      }
    }
  )
}

/// A sample of each Gaussian by the reparameterisation trick: mean + exp(logVariance / 2) noise;
/// see `GaussianDrawOperator`.
///
/// Shapes: all [B, ...], f32; the noise is a constant. Backward saves logVariance and the noise.
public func gaussianDraw(_ mean: Variable, _ logVariance: Variable, noise: Tensor) -> Variable {
  let z = GaussianDrawOperator.forward(
    mean: mean.value, logVariance: logVariance.value, noise: noise)
  let input = mean.slot
  return record(z, of: mean, logVariance) { dz, gradients in
    gradients.add(to: input) { dz }
    gradients.add(to: logVariance.slot) {
      GaussianDrawOperator.gradient(dz, logVariance: logVariance.value, noise: noise)
    }
  }
}

/// The KL divergence from the standard normal distribution: the sum over images of weights[b]
/// KL(N(mean, exp(logVariance)) || N(0, 1)), as a scalar [1], and its terms per image in f64; see
/// `GaussianDivergenceOperator`. Backward saves the gradients.
public func gaussianDivergence(
  _ mean: Variable, _ logVariance: Variable, weights: [Double]
) -> (total: Variable, terms: [Double]) {
  let (terms, dmean, dlog) = GaussianDivergenceOperator.forward(
    mean: mean.value, logVariance: logVariance.value, weights: weights)
  let total = Tensor([Float(terms.reduce(0, +))], [1], on: mean.value.context)
  let (first, second) = (mean.slot, logVariance.slot)
  let variable = record(total, of: mean, logVariance) { seed, gradients in
    gradients.add(to: first) { scaled(dmean, by: seed, images: weights.count) }
    gradients.add(to: second) { scaled(dlog, by: seed, images: weights.count) }
  }
  return (variable, terms)
}
