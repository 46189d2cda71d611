import TensorCore

/// Removes noise: the best prediction of the clean images behind noisy ones.
///
/// Images x carry noise of standard deviation sigma, x = clean + sigma n ("variance exploding"). A
/// network of a variance preserving process, x' = sqrt(a) clean + sqrt(1 - a) n, is one too: x' =
/// sqrt(a) x at sigma = sqrt((1 - a) / a), clean = (x' - sqrt(1 - a) noise) / sqrt(a).
public protocol Denoiser {
  /// x [B, H, W, C] with noise of standard deviation sigma -> E[clean | x], the same shape.
  func denoise(_ x: Tensor, sigma: Double) -> Tensor
}

/// A denoiser that may know the variance of the step before as well.
public protocol VarianceDenoiser: Denoiser {
  /// x [B, H, W, C] with noise of standard deviation sigma -> E[clean | x], and the interpolation v of
  /// a learned variance, nil where none was learned; the same shape each.
  ///
  /// v = 1 stands for beta, v = -1 for beta-tilde, the posterior's variance, of whatever step the
  /// sampler takes; the logarithm is linear between and beyond.
  func denoiseWithVariance(_ x: Tensor, sigma: Double) -> (clean: Tensor, v: Tensor?)
}

extension VarianceDenoiser {
  public func denoise(_ x: Tensor, sigma: Double) -> Tensor {
    denoiseWithVariance(x, sigma: sigma).clean
  }
}
