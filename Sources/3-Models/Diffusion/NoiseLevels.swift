import TensorCore

/// The noise levels that a sampler visits, t_0 > ... > t_{N-1} > t_N = 0, as standard deviations of
/// noise on images in [-1, 1]. N steps lead from the first level to 0.
///
/// Every parametrisation of a diffusion process gives such a list; samplers know no other time.
///
/// ```swift
/// import Diffusion
///
/// let levels = NoiseLevels.edm(steps: 18)
/// print(levels.steps, levels[0], levels[17])  // 18 steps, from 80 to 0.002 and then 0
/// ```
public struct NoiseLevels: Sendable, Hashable {
  /// The levels, falling; the last one is 0.
  public let sigmas: [Double]
  /// The standard deviation of the first state, which is pure noise.
  public let first: Double

  /// A list of levels.
  ///
  /// - Parameters:
  ///   - sigmas: finite, falling, and 0 at the end; at least two.
  ///   - first: the standard deviation of the first state; by default the first level. It is larger
  ///     for a process that counts the variance of the images in.
  public init(_ sigmas: [Double], first: Double? = nil) {
    invariant(
      sigmas.count >= 2 && sigmas.last == 0 && sigmas[0].isFinite
        && zip(sigmas, sigmas.dropFirst()).allSatisfy { $0 > $1 },
      "NoiseLevels: \(sigmas) do not fall to 0")
    self.sigmas = sigmas
    self.first = first ?? sigmas[0]
    invariant(self.first > 0 && self.first.isFinite, "NoiseLevels: \(self.first) at first")
  }

  /// N, the number of steps.
  public var steps: Int { sigmas.count - 1 }
  /// t_step, for 0...N.
  public subscript(_ step: Int) -> Double { sigmas[step] }

  /// EDM's levels: equal steps in sigma^(1/rho), which puts more of them where the noise is low.
  ///
  /// Source: Karras et al., arXiv:2206.00364, eq. (5).
  public static func edm(
    steps: Int, sigmaMin: Double = 0.002, sigmaMax: Double = 80, rho: Double = 7
  ) -> NoiseLevels {
    check("edm", steps, sigmaMin, sigmaMax)
    invariant(rho > 0, "NoiseLevels.edm: rho \(rho)")
    let (first, last) = (PortableMath.pow(sigmaMax, 1 / rho), PortableMath.pow(sigmaMin, 1 / rho))
    return NoiseLevels(
      fractions(steps).map { PortableMath.pow(first + $0 * (last - first), rho) } + [0])
  }

  /// Equal steps in ln sigma. The half log-SNR of DPM-Solver's authors is lambda = -ln sigma.
  ///
  /// Source: Lu et al., arXiv:2211.01095, section 6 ("uniform lambda").
  public static func logarithmic(
    steps: Int, sigmaMin: Double = 0.002, sigmaMax: Double = 80
  ) -> NoiseLevels {
    check("logarithmic", steps, sigmaMin, sigmaMax)
    return NoiseLevels(
      fractions(steps).map { sigmaMax * PortableMath.pow(sigmaMin / sigmaMax, $0) } + [0])
  }

  /// `count` equally spaced values from 0 to 1; only 0 if the count is 1.
  private static func fractions(_ count: Int) -> [Double] {
    (0..<count).map { count > 1 ? Double($0) / Double(count - 1) : 0 }
  }

  private static func check(_ name: String, _ steps: Int, _ least: Double, _ most: Double) {
    invariant(
      steps >= 1 && least > 0 && most > least && most.isFinite,
      "NoiseLevels.\(name): \(steps) steps from \(most) to \(least)")
  }
}
