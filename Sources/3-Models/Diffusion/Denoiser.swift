import TensorCore

/// Removes noise: it predicts the clean images behind noisy ones.
///
/// Images x carry noise of standard deviation sigma, x = clean + sigma n (a "variance exploding"
/// process). A network for a variance preserving process, x' = sqrt(a) clean + sqrt(1 - a) n, can
/// be used as well: x' = sqrt(a) x at sigma = sqrt((1 - a) / a), and clean = (x' - sqrt(1 - a)
/// noise) / sqrt(a).
///
/// ```swift
/// import Diffusion
/// import TensorCore
///
/// /// The exact denoiser of images whose pixels are independent standard normal numbers.
/// struct GaussianDenoiser: Denoiser {
///   func denoise(_ x: Tensor, sigma: Double) -> Tensor {
///     let kept = Float(1 / (1 + sigma * sigma))
///     return Tensor(x.floats.map { kept * $0 }, x.shape, on: x.context)
///   }
/// }
/// let images = HeunSampler().sample(
///   seeds: [1, 2], over: .edm(steps: 18), image: [8, 8, 3], with: GaussianDenoiser(),
///   on: ComputeContext())
/// print(images.shape)  // [2, 8, 8, 3]
/// ```
public protocol Denoiser {
  /// The predicted clean images E[clean | x] of x [B, H, W, C], which carries noise of standard
  /// deviation sigma; the same shape.
  func denoise(_ x: Tensor, sigma: Double) -> Tensor
}

/// A denoiser that may also know the variance of a sampler's step.
public protocol VarianceDenoiser: Denoiser {
  /// The predicted clean images E[clean | x] of x [B, H, W, C], which carries noise of standard
  /// deviation sigma, and the interpolation v of a learned variance, nil if none was learned; the
  /// same shape each.
  ///
  /// v = 1 stands for beta and v = -1 for beta-tilde, the variance of the posterior, of whatever
  /// step the sampler takes. The logarithm of the variance is linear in v, also beyond that range.
  func denoiseWithVariance(_ x: Tensor, sigma: Double) -> (clean: Tensor, v: Tensor?)
}

extension VarianceDenoiser {
  /// The predicted clean images, without the variance.
  public func denoise(_ x: Tensor, sigma: Double) -> Tensor {
    denoiseWithVariance(x, sigma: sigma).clean
  }
}
