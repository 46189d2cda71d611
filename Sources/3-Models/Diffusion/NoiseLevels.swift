import TensorCore

/// The noise levels that a sampler visits, t_0 > ... > t_{N-1} > t_N = 0, in standard deviations of
/// noise on images in [-1, 1]. N steps lead from the first to 0.
///
/// Any parametrisation of a diffusion process gives such a list; samplers know no other clock.
public struct NoiseLevels: Sendable, Hashable {
  public let sigmas: [Double]
  /// Standard deviation of the first state, which is noise alone.
  public let first: Double

  /// - Parameters:
  ///   - sigmas: finite, falling, and 0 at the end.
  ///   - first: where it is not the first level: a process may count the images behind its noise in.
  public init(_ sigmas: [Double], first: Double? = nil) {
    invariant(
      sigmas.count >= 2 && sigmas.last == 0 && sigmas[0].isFinite
        && zip(sigmas, sigmas.dropFirst()).allSatisfy { $0 > $1 },
      "NoiseLevels: \(sigmas) do not fall to 0")
    self.sigmas = sigmas
    self.first = first ?? sigmas[0]
    invariant(self.first > 0 && self.first.isFinite, "NoiseLevels: \(self.first) at first")
  }

  public var steps: Int { sigmas.count - 1 }
  public subscript(_ step: Int) -> Double { sigmas[step] }

  /// Equal steps in sigma^(1/rho): more of them where noise is low.
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

  /// Equal steps in ln sigma, the half log-SNR lambda = -ln sigma of DPM-Solver's authors.
  ///
  /// Source: Lu et al., arXiv:2211.01095, section 6 ("uniform lambda").
  public static func logarithmic(
    steps: Int, sigmaMin: Double = 0.002, sigmaMax: Double = 80
  ) -> NoiseLevels {
    check("logarithmic", steps, sigmaMin, sigmaMax)
    return NoiseLevels(
      fractions(steps).map { sigmaMax * PortableMath.pow(sigmaMin / sigmaMax, $0) } + [0])
  }

  /// 0 to 1 in `count` values; 0 alone where there is one.
  private static func fractions(_ count: Int) -> [Double] {
    (0..<count).map { count > 1 ? Double($0) / Double(count - 1) : 0 }
  }

  private static func check(_ name: String, _ steps: Int, _ least: Double, _ most: Double) {
    invariant(
      steps >= 1 && least > 0 && most > least && most.isFinite,
      "NoiseLevels.\(name): \(steps) steps from \(most) to \(least)")
  }
}
