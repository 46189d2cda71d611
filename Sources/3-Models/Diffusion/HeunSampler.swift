import TensorCore

/// EDM's second-order sampler (Heun's method), deterministic or with churn; without the correction
/// it is Euler's method.
///
/// Source: Karras et al., arXiv:2206.00364, Algorithm 2. The last step, to 0, is always an Euler
/// step. N steps cost 2N - 1 network calls, or N without the correction.
///
/// ```swift
/// import Diffusion
///
/// let sampler = HeunSampler(churn: HeunSampler.Churn(40))
/// print(sampler.order, sampler.calls(steps: 18))  // 2 35
/// ```
public struct HeunSampler: Sampler {
  /// The noise added before each step; none by default.
  public var churn = Churn()
  /// Whether each step is corrected by a second network call. Without it the method is Euler's, of
  /// order 1.
  public var corrects = true

  /// Stochasticity: noise that is added before each step whose sigma lies in [minimum, maximum]
  /// (S_churn, S_min, S_max and S_noise in the paper).
  public struct Churn: Sendable, Hashable {
    /// The total over all N steps: a step first raises sigma by the fraction amount / N, at most by
    /// the fraction sqrt(2) - 1.
    public var amount = 0.0
    /// The smallest sigma at which noise is added.
    public var minimum = 0.0
    /// The largest sigma at which noise is added.
    public var maximum = Double.infinity
    /// The standard deviation of the added noise. Values other than 1 change the distribution.
    public var noise = 1.0
    /// Churn of this amount at all noise levels.
    public init(_ amount: Double = 0) { self.amount = amount }

    /// The fraction by which a step at `sigma` first raises it.
    func gamma(_ sigma: Double, steps: Int) -> Double {
      sigma >= minimum && sigma <= maximum ? min(amount / Double(steps), 2.0.squareRoot() - 1) : 0
    }
  }

  /// A sampler with or without correction and churn.
  public init(corrects: Bool = true, churn: Churn = Churn()) {
    (self.corrects, self.churn) = (corrects, churn)
  }

  /// 2, or 1 without the correction.
  public var order: Int { corrects ? 2 : 1 }

  /// Network calls of `steps` steps.
  public func calls(steps: Int) -> Int { corrects ? 2 * steps - 1 : steps }

  /// Images [B, H, W, C] from noise; see `Sampler`.
  public func sample(
    from noise: some SampleNoise, over t: NoiseLevels, image: Shape, with denoiser: some Denoiser,
    on context: ComputeContext, observe: ((SamplerStep) -> Void)?
  ) -> Tensor {
    var state = SamplerState(noise, t, image, denoiser, context, observe)
    for i in 0..<t.steps {
      let gamma = churn.gamma(t[i], steps: t.steps)
      let from = t[i] + gamma * t[i]
      if gamma > 0 {
        let spread = (from * from - t[i] * t[i]).squareRoot() * churn.noise
        let (x, n) = (state.x, state.normals(step: i))
        state.x = state.each { x[$0] + spread * n[$0] }
      }
      let x = state.x
      let (h, to) = (t[i + 1] - from, t[i + 1])
      let denoised = state.denoised(sigma: from, step: i)
      let d = state.each { (x[$0] - Double(denoised[$0])) / from }  // dx/dt = (x - D(x; t)) / t
      let next = state.each { x[$0] + h * d[$0] }
      state.x = next
      if corrects && i < t.steps - 1 {
        let again = state.denoised(next, sigma: to)
        state.x = state.each {
          let e = (next[$0] - Double(again[$0])) / to
          return x[$0] + h * (0.5 * d[$0] + 0.5 * e)
        }
      }
    }
    return state.images
  }
}
