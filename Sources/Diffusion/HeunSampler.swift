import TensorCore

/// Removes noise: the best guess of the clean images behind noisy ones.
public protocol Denoiser {
  /// x [B, H, W, C] with noise of standard deviation sigma -> E[clean | x], the same shape.
  func denoise(_ x: Tensor, sigma: Double) -> Tensor
}

/// EDM's second-order sampler, deterministic or with churn.
///
/// Source: arXiv:2206.00364, Algorithm 2. `steps` steps cost 2 steps - 1 network calls: the last step,
/// to sigma 0, is Euler's. State is f64; the denoiser sees f32. An image depends on its seed alone.
public struct HeunSampler: Sendable {
  public var steps = 18
  public var sigmaMin = 0.002
  public var sigmaMax = 80.0
  public var rho = 7.0
  public var churn = Churn()
  /// False: Euler's method, order 1, `steps` network calls.
  public var corrects = true

  /// Stochasticity: noise added before each step whose sigma lies in [minimum, maximum].
  public struct Churn: Sendable, Hashable {
    public var amount = 0.0
    public var minimum = 0.0
    public var maximum = Double.infinity
    public var noise = 1.0
    public init() {}
  }

  /// Order of convergence in the step size.
  public var order: Int { corrects ? 2 : 1 }

  public init() {}

  /// Noise levels t_0 > ... > t_{N-1} > t_N = 0, eq. (5).
  public var schedule: [Double] {
    let (first, last) = (PortableMath.pow(sigmaMax, 1 / rho), PortableMath.pow(sigmaMin, 1 / rho))
    let levels = (0..<steps).map { i in
      let part = steps > 1 ? Double(i) / Double(steps - 1) : 0
      return PortableMath.pow(first + part * (last - first), rho)
    }
    return levels + [0]
  }

  /// Images from noise, [B, H, W, C], one a seed.
  public func sample(
    seeds: [UInt64], image: Shape, with denoiser: some Denoiser, on engine: Engine
  ) -> Tensor {
    invariant(steps >= 1 && image.rank == 3, "HeunSampler: \(steps) steps, image \(image)")
    let t = schedule
    var x = noise(seeds, .samplerNoise, 0, image.count).map { $0 * t[0] }
    func slope(_ x: [Double], _ sigma: Double) -> [Double] {  // dx/dt = (x - D(x; t)) / t
      let noisy = Tensor(x.map { Float($0) }, Shape([seeds.count] + image.dimensions), on: engine)
      return zip(x, denoiser.denoise(noisy, sigma: sigma).floats).map { ($0 - Double($1)) / sigma }
    }
    for i in 0..<steps {
      let churns = t[i] >= churn.minimum && t[i] <= churn.maximum
      let gamma = churns ? min(churn.amount / Double(steps), 2.0.squareRoot() - 1) : 0
      let from = t[i] + gamma * t[i]
      if gamma > 0 {
        let spread = (from * from - t[i] * t[i]).squareRoot() * churn.noise
        x = zip(x, noise(seeds, .samplerChurn, i, image.count)).map { $0 + spread * $1 }
      }
      let (h, d) = (t[i + 1] - from, slope(x, from))
      var next = zip(x, d).map { $0 + h * $1 }
      if corrects && i < steps - 1 {
        let e = slope(next, t[i + 1])
        next = (0..<x.count).map { x[$0] + h * (0.5 * d[$0] + 0.5 * e[$0]) }
      }
      x = next
    }
    return Tensor(x.map { Float($0) }, Shape([seeds.count] + image.dimensions), on: engine)
  }

  private func noise(
    _ seeds: [UInt64], _ purpose: RandomPurpose, _ substream: Int, _ count: Int
  ) -> [Double] {
    seeds.flatMap { seed in
      RandomStream(seed: 0, purpose, substream: substream, position: seed).normals(count)
    }
  }
}
