import Diffusion
import Foundation
import TensorCore

/// Not linear, and rational, so that its bits are those of IEEE arithmetic alone.
struct RationalDenoiser: Denoiser {
  func denoise(_ x: Tensor, sigma: Double) -> Tensor {
    let values = x.floats.map { x in
      let scaled = Double(x) / (1 + sigma)
      return Float((scaled + 0.1) / (1 + 0.2 * scaled * scaled) * 0.25 / (0.25 + sigma))
    }
    return Tensor(values, x.shape, on: x.context)
  }
}

/// Data from a mixture of Gaussians, every pixel by itself: noise of level sigma widens each, so that
/// the denoiser and the probability flow's exact map are known.
struct Mixture: Denoiser {
  struct Part { let weight, mean, spread: Double }
  let parts: [Part]

  static let uneven = Mixture(parts: [
    Part(weight: 0.35, mean: -0.7, spread: 0.25), Part(weight: 0.65, mean: 0.5, spread: 0.4),
  ])

  /// E[clean | x].
  func clean(_ x: Double, _ sigma: Double) -> Double {
    var (sum, total) = (0.0, 0.0)
    for part in parts {
      let variance = part.spread * part.spread + sigma * sigma
      let off = x - part.mean
      let share = part.weight * exp(-off * off / (2 * variance)) / variance.squareRoot()
      sum += share * (part.mean + part.spread * part.spread / variance * off)
      total += share
    }
    return sum / total
  }

  func denoise(_ x: Tensor, sigma: Double) -> Tensor {
    Tensor(x.floats.map { Float(clean(Double($0), sigma)) }, x.shape, on: x.context)
  }

  /// The density of noisy pixels at level sigma.
  func density(_ x: Double, _ sigma: Double) -> Double {
    parts.reduce(0) {
      let variance = $1.spread * $1.spread + sigma * sigma
      let off = x - $1.mean
      return $0 + $1.weight * exp(-off * off / (2 * variance)) / (2 * .pi * variance).squareRoot()
    }
  }

  /// P(noisy <= x) at level sigma.
  func cumulative(_ x: Double, _ sigma: Double) -> Double {
    parts.reduce(0) {
      let deviation = ($1.spread * $1.spread + sigma * sigma).squareRoot()
      return $0 + $1.weight * 0.5 * erfc(($1.mean - x) / (deviation * 2.0.squareRoot()))
    }
  }

  /// The x with `cumulative(x, sigma)` = p, by bisection.
  ///
  /// The flow keeps the order of points and the share of data below each, so this is its solution, too:
  /// a point keeps its p.
  func quantile(_ p: Double, _ sigma: Double) -> Double {
    let reach = 12 * (1 + sigma)
    var (low, high) = (-reach, reach)
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if cumulative(middle, sigma) < p { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }
}

/// Normals from lists: the first noise, and what each step adds.
struct GivenNoise: SampleNoise {
  var images = 1
  let firstNoise: [Double]
  var steps: [[Double]] = []

  func first(_ count: Int) -> [Double] { firstNoise }
  func added(at step: Int, _ count: Int) -> [Double] { steps[step] }
}
