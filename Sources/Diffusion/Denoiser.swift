import TensorCore

/// Removes noise: the best guess of the clean images behind noisy ones.
///
/// Images x carry noise of standard deviation sigma, x = clean + sigma n ("variance exploding"). A
/// network of a variance preserving process, x' = sqrt(a) clean + sqrt(1 - a) n, is one too: x' =
/// sqrt(a) x at sigma = sqrt((1 - a) / a), clean = (x' - sqrt(1 - a) noise) / sqrt(a).
public protocol Denoiser {
  /// x [B, H, W, C] with noise of standard deviation sigma -> E[clean | x], the same shape.
  func denoise(_ x: Tensor, sigma: Double) -> Tensor
}
