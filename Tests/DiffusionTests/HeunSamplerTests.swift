import Diffusion
import Foundation
import NumericsSupport
import TensorCore
import Testing

/// The exact denoiser of data ~ N(mean, spread^2), every pixel by itself.
private final class GaussianDenoiser: Denoiser {
  let mean: Double
  let spread: Double
  private(set) var levels: [Double] = []

  init(mean: Double, spread: Double) { (self.mean, self.spread) = (mean, spread) }

  func clean(_ x: Double, _ sigma: Double) -> Double {
    (spread * spread * x + sigma * sigma * mean) / (spread * spread + sigma * sigma)
  }

  func denoise(_ x: Tensor, sigma: Double) -> Tensor {
    levels.append(sigma)
    return Tensor(x.floats.map { Float(clean(Double($0), sigma)) }, x.shape, on: x.context)
  }

  /// The solution at `to` of the flow dx/dsigma = (x - D(x; sigma)) / sigma that is `x` at `from`.
  func flow(_ x: Double, from: Double, to: Double) -> Double {
    let s = spread * spread
    return mean + (x - mean) * ((s + to * to) / (s + from * from)).squareRoot()
  }
}

@Suite struct HeunCallTests {
  @Test(arguments: [1, 2, 18, 40])
  func networkCalls(_ steps: Int) {
    let t = NoiseLevels.edm(steps: steps)
    let denoiser = GaussianDenoiser(mean: 0, spread: 0.5)
    _ = HeunSampler().sample(
      seeds: [1], over: t, image: [2, 2, 3], with: denoiser, on: ComputeContext())
    #expect(denoiser.levels.count == 2 * steps - 1)
    // Each level twice but the first, and none at sigma 0.
    #expect(denoiser.levels.first == t.first)
    #expect(Set(denoiser.levels) == Set(t.sigmas.dropLast()))
  }
}

@Suite struct HeunSamplerTests {
  private let image: Shape = [4, 4, 3]

  /// Error against the exact flow from the same noise to the last level, followed by the last step,
  /// which is the denoiser itself.
  private func error(steps: Int) -> Double {
    let t = NoiseLevels.edm(steps: steps)
    let denoiser = GaussianDenoiser(mean: 0.3, spread: 0.5)
    let found = HeunSampler().sample(
      seeds: [5, 6], over: t, image: image, with: denoiser, on: ComputeContext()
    ).floats
    let (first, last) = (t.first, t[steps - 1])
    let expected = [UInt64(5), 6].flatMap { seed in
      let stream = RandomStream(seed: 0, .samplerNoise, position: seed)
      return (0..<image.count).map { i in
        let x = denoiser.flow(first * stream.normal(i), from: first, to: last)
        return denoiser.clean(x, last)
      }
    }
    let squares = zip(found, expected).reduce(0) { $0 + pow(Double($1.0) - $1.1, 2) }
    return (squares / Double(found.count)).squareRoot()
  }

  /// Global error falls as steps^-2: the slope of log error over log steps, by least squares.
  @Test func orderOfConvergence() {
    let counts = [16, 24, 32, 48, 64, 96]
    let points = counts.map { (x: log(Double($0)), y: log(error(steps: $0))) }
    let (mx, my) = (
      points.reduce(0) { $0 + $1.x } / Double(points.count),
      points.reduce(0) { $0 + $1.y } / Double(points.count)
    )
    let slope =
      points.reduce(0) { $0 + ($1.x - mx) * ($1.y - my) }
      / points.reduce(0) { $0 + ($1.x - mx) * ($1.x - mx) }
    #expect(abs(slope + 2) < 0.2, "slope \(slope)")
    #expect(error(steps: 18) < 0.04)
  }

  /// Churn changes samples, but not what they are samples of.
  @Test func churnKeepsTheDistribution() {
    let denoiser = GaussianDenoiser(mean: 0.3, spread: 0.5)
    func sample(_ churn: Double) -> [Double] {
      HeunSampler(churn: .init(churn)).sample(
        seeds: [1, 2, 3, 4], over: .edm(steps: 128), image: [32, 32, 3], with: denoiser,
        on: ComputeContext()
      ).floats.wide
    }
    let (plain, churned) = (sample(0), sample(40))
    #expect(zip(plain, churned).contains { abs($0 - $1) > 0.5 })
    for sample in [plain, churned] {
      let mean = sample.reduce(0, +) / Double(sample.count)
      let variance = sample.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(sample.count)
      #expect(abs(mean - 0.3) < 0.02)
      #expect(abs(variance - 0.25) < 0.05 * 0.25, "variance \(variance)")
    }
  }

  /// Outside its range churn does nothing; inside it raises the level by amount / steps, at most to
  /// sqrt 2 of it.
  @Test(arguments: [(30.0, 2.0.squareRoot()), (0.6, 1.1)])
  func churnRange(_ amount: Double, _ factor: Double) {
    let t = NoiseLevels.edm(steps: 6)
    func sample(_ churn: HeunSampler.Churn) -> ([UInt32], [Double]) {
      let denoiser = GaussianDenoiser(mean: 0, spread: 0.5)
      let images = HeunSampler(churn: churn).sample(
        seeds: [1], over: t, image: image, with: denoiser, on: ComputeContext())
      return (images.bits, denoiser.levels)
    }
    func sample(_ minimum: Double, _ maximum: Double, noise: Double = 1) -> ([UInt32], [Double]) {
      var churn = HeunSampler.Churn(amount)
      (churn.minimum, churn.maximum, churn.noise) = (minimum, maximum, noise)
      return sample(churn)
    }
    let plain = sample(HeunSampler.Churn()).0
    #expect(sample(100, 200).0 == plain)
    let (bits, levels) = sample(t[2], t[2])
    #expect(bits != plain && bits != sample(t[2], t[2], noise: 0.9).0)
    // Level t_2 alone is raised.
    let extra = Set(levels).subtracting(t.sigmas)
    #expect(extra.count == 1 && abs((extra.first ?? 0) - factor * t[2]) < 1e-12)
  }
}
