import TensorCore

/// DPM-Solver++(2M): second order with one network call per step, by extrapolation from the
/// previous prediction.
///
/// Source: Lu et al., arXiv:2211.01095, Algorithm 2. In x = clean + t n with lambda = -ln t, from
/// level t to s: x <- (s / t) x + (1 - s / t) D', D' = D + (D - D_before) h / (2 h_before), where h
/// = ln(t / s) is the step in lambda. The first step has nothing to extrapolate from and is of
/// first order. So is the last step, to 0, where h is infinite: its result is the denoised
/// prediction.
///
/// ```swift
/// import Diffusion
///
/// let sampler = DPMSolverPlusPlus()
/// print(sampler.order, sampler.calls(steps: 20))  // 2 20
/// ```
public struct DPMSolverPlusPlus: Sampler {
  /// The sampler, which has no options.
  public init() {}

  /// 2.
  public var order: Int { 2 }

  /// Images [B, H, W, C] from noise; see `Sampler`.
  public func sample(
    from noise: some SampleNoise, over t: NoiseLevels, image: Shape, with denoiser: some Denoiser,
    on context: ComputeContext, observe: ((SamplerStep) -> Void)?
  ) -> Tensor {
    var state = SamplerState(noise, t, image, denoiser, context, observe)
    var before: (prediction: [Float], h: Double)?
    for i in 0..<t.steps {
      let (x, d) = (state.x, state.denoised(sigma: t[i], step: i))
      let kept = t[i + 1] / t[i]
      let h = t[i + 1] > 0 ? PortableMath.log(t[i] / t[i + 1]) : 0
      let (last, share) = (before?.prediction ?? d, before.map { h / (2 * $0.h) } ?? 0)
      state.x = state.each {
        let prediction = Double(d[$0]) + share * (Double(d[$0]) - Double(last[$0]))
        return prediction + kept * (x[$0] - prediction)
      }
      before = (d, h)
    }
    return state.images
  }
}
