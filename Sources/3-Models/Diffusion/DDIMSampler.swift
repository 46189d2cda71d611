import TensorCore

/// DDIM: each step moves towards the predicted clean image and replaces part of the noise by new
/// noise. With eta = 0 it adds none, which is Euler's method for the probability flow; eta = 1 is
/// ancestral sampling.
///
/// Source: Song et al., arXiv:2010.02502, eq. (12) and (16), which read in x = clean + t n, from
/// level t to s: x <- D + sqrt(s^2 - v) (x - D) / t + sqrt(v) n, v = eta^2 s^2 (1 - s^2 / t^2).
///
/// ```swift
/// import Diffusion
///
/// let sampler = DDIMSampler(eta: 0)
/// print(sampler.calls(steps: 50))  // 50
/// ```
public struct DDIMSampler: Sampler {
  /// The standard deviation of the new noise as a fraction of ancestral sampling's, in 0...1.
  public let eta: Double
  /// Whether predicted clean images are clamped to [-1, 1], the range of images.
  public let clips: Bool

  /// A sampler with this eta, with or without clamping.
  public init(eta: Double = 0, clips: Bool = false) {
    invariant(eta >= 0 && eta <= 1, "DDIMSampler: eta \(eta)")
    (self.eta, self.clips) = (eta, clips)
  }

  /// 1.
  public var order: Int { 1 }

  /// Images [B, H, W, C] from noise; see `Sampler`.
  public func sample(
    from noise: some SampleNoise, over t: NoiseLevels, image: Shape, with denoiser: some Denoiser,
    on context: ComputeContext, observe: ((SamplerStep) -> Void)?
  ) -> Tensor {
    var state = SamplerState(noise, t, image, denoiser, context, observe)
    for i in 0..<t.steps {
      let (from, to) = (t[i], t[i + 1])
      let kept = to / from
      let fresh = eta * to * ((1 - kept) * (1 + kept)).squareRoot()  // sqrt(v)
      let keep = ((to - fresh) * (to + fresh)).squareRoot() / from
      let (x, prediction) = (state.x, state.denoised(sigma: from, step: i))
      let d = clips ? clipped(prediction) : prediction
      if fresh > 0 {
        let n = state.normals(step: i)
        state.x = state.each { Double(d[$0]) + keep * (x[$0] - Double(d[$0])) + fresh * n[$0] }
      } else {
        state.x = state.each { Double(d[$0]) + keep * (x[$0] - Double(d[$0])) }
      }
    }
    return state.images
  }
}
