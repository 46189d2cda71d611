import Diffusion
import Foundation
import TensorCore
import Testing

/// Normals for `count` particles that fill the line evenly among particles that lie close together
/// (array-RQMC): expectations converge far faster than with independent normals.
///
/// Source: L'Ecuyer, Lécot and Tuffin, "A randomized quasi-Monte Carlo simulation method for Markov
/// chains", Operations Research 56 (2008).
private final class EvenNoise: SampleNoise {
  let images = 1
  private let firstNoise: [Double]
  /// Standard normal quantiles (j + 1/2) / count.
  private let quantiles: [Double]
  /// Particles as they lie on the line.
  private var order: [Int]

  /// - Parameter first: the first noise, rising; a power of two of values.
  init(first: [Double], quantiles: [Double]) {
    (firstNoise, self.quantiles) = (first, quantiles)
    order = Array(first.indices)
  }

  func observe(_ step: SamplerStep) {
    let x = step.noisy.floats
    order.sort { x[$0] < x[$1] }
  }

  func first(_ count: Int) -> [Double] { firstNoise }

  func added(at step: Int, _ count: Int) -> [Double] {
    let unused = count.leadingZeroBitCount + 1
    let shift = RandomStream(seed: 0, .test, substream: step, position: 0).index(below: count, 0)
    var normals = [Double](repeating: 0, count: count)
    for (rank, particle) in order.enumerated() {
      let reversed = Int(bitPattern: UInt(bitPattern: rank).reversed >> UInt(unused))
      normals[particle] = quantiles[(reversed + shift) & (count - 1)]
    }
    return normals
  }
}

extension UInt {
  /// The bits in reverse order.
  fileprivate var reversed: UInt {
    (0..<UInt(UInt.bitWidth)).reduce(0) { $0 << 1 | (self >> $1 & 1) }
  }
}

/// Samplers on a mixture of two Gaussians, whose denoiser is known, as the number of steps grows.
@Suite struct ConvergenceTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let sampler: any Sampler
    /// Noise that is added is drawn for so many particles, a power of two.
    var particles = 1 << 12
    /// Adds no noise: each particle is compared with its own exact solution.
    var isDeterministic = false
    var testDescription: String { name }
  }

  /// Second order and noise together: errors are small, and the noise's own has to be smaller.
  static let cases = [
    Case(name: "Heun", sampler: HeunSampler(), isDeterministic: true),
    Case(name: "Heun, churn", sampler: HeunSampler(churn: .init(10)), particles: 1 << 15),
    Case(name: "Euler", sampler: HeunSampler(corrects: false), isDeterministic: true),
    Case(name: "Euler, churn", sampler: HeunSampler(corrects: false, churn: .init(10))),
    Case(name: "ancestral", sampler: AncestralSampler()),
    Case(name: "DDIM", sampler: DDIMSampler(), isDeterministic: true),
    Case(name: "DDIM, eta 0.5", sampler: DDIMSampler(eta: 0.5)),
    Case(name: "DPM-Solver++", sampler: DPMSolverPlusPlus(), isDeterministic: true),
  ]

  private let data = Mixture.uneven

  @Test(arguments: cases)
  func errorsFallWithTheDeclaredOrder(_ test: Case) {
    let counts = [32, 48, 64, 96]
    let errors = errors(test, counts)
    let slope = slope(counts, errors)
    #expect(
      abs(slope + Double(test.sampler.order)) < 0.2, "\(test.name): slope \(slope) of \(errors)")
  }

  private func levels(_ steps: Int) -> NoiseLevels {
    .edm(steps: steps, sigmaMin: 0.02, sigmaMax: 20)
  }

  private func errors(_ test: Case, _ counts: [Int]) -> [Double] {
    let shares = (0..<test.particles).map { (Double($0) + 0.5) / Double(test.particles) }
    let normal = Mixture(parts: [.init(weight: 1, mean: 0, spread: 1)])
    let midpoints = shares.map { normal.quantile($0, 0) }
    let deviation = rms(midpoints)  // a little less than 1: the outer midpoints lie too far in
    let quantiles = midpoints.map { $0 / deviation }
    let (first, last) = (levels(2)[0], levels(2)[1])
    let start = shares.map { data.quantile($0, first) / first }
    // What an exact solver would give, followed by the last step, which is the denoiser.
    let exact = test.isDeterministic ? shares.map { clean(data.quantile($0, last)) } : []
    return counts.map { steps in
      let noise = EvenNoise(first: start, quantiles: quantiles)
      let found = test.sampler.sample(
        from: noise, over: levels(steps), image: [test.particles, 1, 1], with: data,
        on: ComputeContext(),
        observe: test.isDeterministic ? nil : noise.observe
      ).floats.wide
      return test.isDeterministic ? rms(zip(found, exact).map { $0 - $1 }) : weakError(found)
    }
  }

  /// Differences of expectations of smooth functions from their integrals over the data.
  private func weakError(_ found: [Double]) -> Double {
    let last = levels(2)[1]
    let grid = (-3072...3072).map { Double($0) / 512 }
    let functions: [(Double) -> Double] = [{ $0 }, { $0 * $0 }, { cos(2 * $0) }, { sin(3 * $0) }]
    return rms(
      functions.map { f in
        let exact = grid.reduce(0) { $0 + data.density($1, last) * f(clean($1)) } / 512
        return found.reduce(0) { $0 + f($1) } / Double(found.count) - exact
      })
  }

  private func clean(_ x: Double) -> Double { data.clean(x, levels(2)[1]) }

  private func rms(_ values: [Double]) -> Double {
    (values.reduce(0) { $0 + $1 * $1 } / Double(values.count)).squareRoot()
  }

  /// The slope of log error over log steps, by least squares.
  private func slope(_ counts: [Int], _ errors: [Double]) -> Double {
    let (x, y) = (counts.map { log(Double($0)) }, errors.map { log($0) })
    let (mx, my) = (x.reduce(0, +) / Double(x.count), y.reduce(0, +) / Double(y.count))
    let products = zip(x, y).reduce(0) { $0 + ($1.0 - mx) * ($1.1 - my) }
    return products / x.reduce(0) { $0 + ($1 - mx) * ($1 - mx) }
  }
}
