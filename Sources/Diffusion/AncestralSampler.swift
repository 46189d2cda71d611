import TensorCore

/// DDPM's ancestral sampling: each step draws from q(x_s | x_t, clean = D(x_t; t)).
///
/// Source: Ho et al., arXiv:2006.11239, eq. (6), (7) and Algorithm 2, with the posterior's variance
/// ("beta tilde"). In x = clean + t n, from level t to s: mean (1 - s^2 / t^2) D + s^2 / t^2 x,
/// variance s^2 (1 - s^2 / t^2).
public struct AncestralSampler: Sampler {
  public init() {}

  public var order: Int { 1 }

  public func sample(
    from noise: some SampleNoise, over t: NoiseLevels, image: Shape, with denoiser: some Denoiser,
    on engine: Engine, observe: ((SamplerStep) -> Void)?
  ) -> Tensor {
    var state = SamplerState(noise, t, image, denoiser, engine, observe)
    for i in 0..<t.steps {
      let (from, to) = (t[i], t[i + 1])
      let kept = (to / from) * (to / from)
      let deviation = to * (1 - kept).squareRoot()
      let (x, d) = (state.x, state.denoised(sigma: from, step: i))
      let mean = state.each { Double(d[$0]) + kept * (x[$0] - Double(d[$0])) }
      state.x = mean
      if deviation > 0 {  // the step to 0 adds nothing
        let n = state.normals(step: i)
        state.x = state.each { mean[$0] + deviation * n[$0] }
      }
    }
    return state.images
  }
}
