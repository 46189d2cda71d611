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
    return Tensor(x.floats.map { Float(clean(Double($0), sigma)) }, x.shape, on: x.engine)
  }

  /// The solution at `to` of the flow dx/dsigma = (x - D(x; sigma)) / sigma that is `x` at `from`.
  func flow(_ x: Double, from: Double, to: Double) -> Double {
    let s = spread * spread
    return mean + (x - mean) * ((s + to * to) / (s + from * from)).squareRoot()
  }
}

@Suite struct HeunScheduleTests {
  @Test func levels() {
    let t = HeunSampler().schedule
    #expect(t.count == 19)
    #expect(abs(t[0] - 80) < 1e-11 && abs(t[17] - 0.002) < 1e-15 && t[18] == 0)
    #expect(zip(t, t.dropFirst()).allSatisfy { $0 > $1 })
    // Equal steps in sigma^(1/7), eq. (5).
    let roots = t.dropLast().map { pow($0, 1 / 7) }
    let steps = zip(roots, roots.dropFirst()).map { $0 - $1 }
    #expect(steps.allSatisfy { abs($0 - steps[0]) < 1e-12 })
  }

  @Test func otherSettings() {
    var sampler = HeunSampler()
    (sampler.steps, sampler.sigmaMin, sampler.sigmaMax, sampler.rho) = (3, 1, 9, 2)
    let t = sampler.schedule  // roots 3, 2, 1
    for (t, expected) in zip(t, [9.0, 4, 1, 0]) { #expect(abs(t - expected) < 1e-12) }
    sampler.steps = 1
    #expect(sampler.schedule.count == 2 && abs(sampler.schedule[0] - 9) < 1e-12)
  }

  @Test(arguments: [1, 2, 18, 40])
  func networkCalls(_ steps: Int) {
    var sampler = HeunSampler()
    sampler.steps = steps
    let denoiser = GaussianDenoiser(mean: 0, spread: 0.5)
    _ = sampler.sample(seeds: [1], image: [2, 2, 3], with: denoiser, on: Engine())
    #expect(denoiser.levels.count == 2 * steps - 1)
    // Each level twice but the first, and none at sigma 0.
    #expect(denoiser.levels.first == sampler.schedule[0])
    #expect(Set(denoiser.levels) == Set(sampler.schedule.dropLast()))
  }
}

@Suite struct HeunSamplerTests {
  private let image: Shape = [4, 4, 3]

  /// Error against the exact flow from the same noise to the last level, followed by the last step,
  /// which is the denoiser itself.
  private func error(steps: Int) -> Double {
    var sampler = HeunSampler()
    sampler.steps = steps
    let denoiser = GaussianDenoiser(mean: 0.3, spread: 0.5)
    let found = sampler.sample(seeds: [5, 6], image: image, with: denoiser, on: Engine()).floats
    let first = sampler.schedule[0]
    let last = sampler.schedule[steps - 1]
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

  /// Images depend on their seeds alone: a batch is its images one by one, bit for bit.
  @Test(arguments: [0.0, 30])
  func imagesDependOnTheirSeeds(_ churn: Double) {
    var sampler = HeunSampler()
    sampler.steps = 5
    sampler.churn.amount = churn
    let seeds: [UInt64] = [7, 0, 1 << 35]
    func sample(_ seeds: [UInt64], threads: Int = 1) -> Tensor {
      sampler.sample(
        seeds: seeds, image: image, with: GaussianDenoiser(mean: 0, spread: 0.5),
        on: Engine(threadCount: threads))
    }
    let together = sample(seeds)
    #expect(together.shape == [3, 4, 4, 3])
    for (index, seed) in seeds.enumerated() {
      #expect(sample([seed]).bits == together[index..<index + 1].bits)
    }
    #expect(sample(seeds, threads: 3).bits == together.bits)
    #expect(together[0..<1].bits != together[1..<2].bits)
    #expect(sample([]).shape == [0, 4, 4, 3])
  }

  /// Churn changes samples, but not what they are samples of.
  @Test func churnKeepsTheDistribution() {
    let denoiser = GaussianDenoiser(mean: 0.3, spread: 0.5)
    func sample(_ churn: Double) -> [Double] {
      var sampler = HeunSampler()
      (sampler.steps, sampler.churn.amount) = (128, churn)
      return sampler.sample(
        seeds: [1, 2, 3, 4], image: [32, 32, 3], with: denoiser, on: Engine()
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
    func sample(_ minimum: Double, _ maximum: Double, noise: Double = 1) -> ([UInt32], [Double]) {
      var sampler = HeunSampler()
      (sampler.steps, sampler.churn.amount, sampler.churn.noise) = (6, amount, noise)
      (sampler.churn.minimum, sampler.churn.maximum) = (minimum, maximum)
      let denoiser = GaussianDenoiser(mean: 0, spread: 0.5)
      let bits = sampler.sample(seeds: [1], image: image, with: denoiser, on: Engine()).bits
      return (bits, denoiser.levels)
    }
    var still = HeunSampler()
    still.steps = 6
    let denoiser = GaussianDenoiser(mean: 0, spread: 0.5)
    let plain = still.sample(seeds: [1], image: image, with: denoiser, on: Engine()).bits
    let t = still.schedule
    #expect(sample(100, 200).0 == plain)
    let (bits, levels) = sample(t[2], t[2])
    #expect(bits != plain && bits != sample(t[2], t[2], noise: 0.9).0)
    // Level t_2 alone is raised.
    let extra = Set(levels).subtracting(t)
    #expect(extra.count == 1 && abs((extra.first ?? 0) - factor * t[2]) < 1e-12)
  }
}
