import Autodiff
import Operators
import TensorCore

/// Training, and what samplers ask of a trained network.
extension DDPM {
  /// The noisy images x_t = sqrt(alpha-bar) y + sqrt(1 - alpha-bar) noise. Shapes: y, noise [B, H,
  /// W, C], timesteps [B].
  public func noisy(_ y: Tensor, timesteps: [Int], noise: Tensor) -> Tensor {
    timesteps.forEach(check)
    let kept = timesteps.map { alphasCumulative[$0] }
    let image = scaled(y, by: kept.map { Float($0.squareRoot()) })
    return scaled(noise, by: kept.map { Float((1 - $0).squareRoot()) }, plus: image)
  }

  /// The training loss of some images of a batch: the sum over them of their loss * weight /
  /// `batch`, so that the shares of all ranks and micro-batches add up to the mean over the batch.
  ///
  /// - Parameters:
  ///   - y: clean images, [B, H, W, C].
  ///   - timesteps: one per image, [B].
  ///   - weights: the weights that importance sampling of timesteps asks for, [B]; nil for 1 each.
  ///   - noise: standard normal noise, [B, H, W, C].
  ///   - batch: images of the whole batch.
  ///   - tape: records the pass; nil without gradients.
  ///   - network: the raw network with its conditions bound.
  /// - Returns: the share as a scalar, on the tape if there is one, and the loss of each image
  ///   without its weight.
  public func loss(
    _ y: Tensor, timesteps: [Int], weights: [Double]? = nil, noise: Tensor, batch: Int,
    on tape: Tape? = nil, network: Network
  ) -> (share: Variable, terms: [Double]) {
    let weights = weights ?? timesteps.map { _ in 1 }
    invariant(
      timesteps.count == y.shape[0] && weights.count == timesteps.count,
      "DDPM.loss: \(timesteps.count) timesteps, \(weights.count) weights for images \(y.shape)")
    let input = noisy(y, timesteps: timesteps, noise: noise)
    let raw = network(tape?.constant(input) ?? Variable(input), timesteps.map(Double.init))
    let (share, terms) = noiseError(
      raw, noise: noise, clean: y, distance: loss == .smoothL1 ? .smoothL1 : .squared,
      bounds: learnedVariance ? timesteps.map(bound) : nil,
      weights: weights.map { $0 / Double(batch) })
    return (share, terms)
  }

  /// The variational bound's term at a timestep. Only the step from t = 0 leads to the image.
  private func bound(_ timestep: Int) -> NoiseBound {
    NoiseBound(
      // The predicted image is wrong by sigma times the error of the noise.
      meanPerNoise: posteriorMeanClean[timestep] * sigmas[timestep],
      upper: PortableMath.log(betas[timestep]), lower: posteriorLogVarianceClipped[timestep],
      decodes: timestep == 0)
  }

  /// The predicted clean images E[clean | x] of x = clean + sigma n, and v if it is learned.
  ///
  /// Shapes: x [B, H, W, C], sigma [B] -> [B, H, W, C] each.
  public func denoise(
    _ x: Tensor, sigma: [Double], network: Network
  ) -> (clean: Tensor, v: Tensor?) {
    invariant(
      sigma.count == x.shape[0], "DDPM.denoise: \(sigma.count) levels for images \(x.shape)")
    let kept = sigma.map { 1 / (1 + $0 * $0) }  // alpha-bar
    let input = scaled(x, by: kept.map { Float($0.squareRoot()) })
    let raw = network(Variable(input), sigma.map { timestep(sigma: $0) }).value
    let width = x.shape.channels
    invariant(
      raw.shape.dimensions.dropLast() == x.shape.dimensions.dropLast()
        && (raw.shape.channels == 2 * width || raw.shape.channels == width && !learnedVariance),
      "DDPM.denoise: the network gives \(raw.shape) for images \(x.shape)"
        + (learnedVariance ? " with a learned variance" : ""))
    let noise = raw.shape.channels == width ? raw : channels(0..<width, of: raw)
    return (
      scaled(noise, by: sigma.map { Float(-$0) }, plus: x),
      learnedVariance ? channels(width..<2 * width, of: raw) : nil
    )
  }
}
