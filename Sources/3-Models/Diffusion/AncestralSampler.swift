import TensorCore

/// DDPM's ancestral sampling: each step samples from p(x_s | x_t), whose mean is that of q(x_s |
/// x_t, clean = D(x_t; t)).
///
/// Source: Ho et al., arXiv:2006.11239, eq. (6), (7) and Algorithm 2; Nichol and Dhariwal,
/// arXiv:2102.09672, eq. (15). In x = clean + t n, from level t to s: mean (1 - s^2 / t^2) D + s^2
/// / t^2 x, variance beta-tilde = s^2 (1 - s^2 / t^2) or beta = (t^2 - s^2) (1 + s^2) / (1 + t^2).
/// These are the variances of the process that has only the sampler's levels.
///
/// ```swift
/// import Diffusion
///
/// let sampler = AncestralSampler(variance: .posterior, clips: true)
/// print(sampler.order, sampler.calls(steps: 250))  // 1 250
/// ```
public struct AncestralSampler: Sampler {
  /// Which variance the noise of a step has.
  public enum Variance: Sendable, Hashable, CaseIterable {
    /// The variance that the denoiser has learned, between the two others; beta-tilde if it has
    /// learned none.
    case learned
    /// beta-tilde, which is right for data that is a single point.
    case posterior
    /// beta, which is right for data that is noise.
    case upper
  }

  /// Which variance the noise of a step has.
  public var variance: Variance
  /// Whether predicted clean images are clamped to [-1, 1], the range of images.
  public var clips: Bool

  /// A sampler with this variance, with or without clamping.
  public init(variance: Variance = .learned, clips: Bool = false) {
    (self.variance, self.clips) = (variance, clips)
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
      let kept = (to / from) * (to / from)
      let x = state.x
      let (prediction, v) = state.denoisedWithVariance(sigma: from, step: i)
      let d = clips ? clipped(prediction) : prediction
      let mean = state.each { Double(d[$0]) + kept * (x[$0] - Double(d[$0])) }
      state.x = mean
      guard to > 0 else { break }  // the step to 0 adds nothing
      let n = state.normals(step: i)
      let posterior = to * (1 - kept).squareRoot()
      let upper = posterior * ((1 + 1 / (to * to)) / (1 + 1 / (from * from))).squareRoot()
      if variance == .learned, let v {
        let (low, high) = (PortableMath.log(posterior), PortableMath.log(upper))
        state.x = state.each {
          let share = (Double(v[$0]) + 1) / 2
          let deviation = PortableMath.saturatingExp(share * high + (1 - share) * low)
          return mean[$0] + deviation * n[$0]
        }
      } else {
        let deviation = variance == .upper ? upper : posterior
        state.x = state.each { mean[$0] + deviation * n[$0] }
      }
    }
    return state.images
  }
}

/// Pixels clamped to [-1, 1]; NaN stays NaN.
func clipped(_ pixels: [Float]) -> [Float] { pixels.map { $0 < -1 ? -1 : $0 > 1 ? 1 : $0 } }
