import TensorCore

/// EDM's second-order sampler, deterministic or with churn; Euler's method where it does not correct.
///
/// Source: Karras et al., arXiv:2206.00364, Algorithm 2. The last step, to 0, is Euler's, so that N
/// steps cost 2N - 1 network calls, or N without the correction.
public struct HeunSampler: Sampler {
  public var churn = Churn()
  /// False: Euler's method, order 1.
  public var corrects = true

  /// Stochasticity: noise added before each step whose sigma lies in [minimum, maximum].
  public struct Churn: Sendable, Hashable {
    /// Over all steps: a step raises sigma by amount / N of it, at most to sqrt 2 of it.
    public var amount = 0.0
    public var minimum = 0.0
    public var maximum = Double.infinity
    /// Standard deviation of the noise. Other values than 1 change the distribution.
    public var noise = 1.0
    public init(_ amount: Double = 0) { self.amount = amount }

    func gamma(_ sigma: Double, steps: Int) -> Double {
      sigma >= minimum && sigma <= maximum ? min(amount / Double(steps), 2.0.squareRoot() - 1) : 0
    }
  }

  public init(corrects: Bool = true, churn: Churn = Churn()) {
    (self.corrects, self.churn) = (corrects, churn)
  }

  public var order: Int { corrects ? 2 : 1 }

  public func calls(steps: Int) -> Int { corrects ? 2 * steps - 1 : steps }

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
