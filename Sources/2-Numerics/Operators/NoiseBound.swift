import TensorCore

/// One timestep's term of the variational bound, as a function of what a network predicts of an element:
/// the noise and the interpolation v of the log-variance.
///
/// Source: Nichol and Dhariwal, arXiv:2102.09672, eq. (4)-(7) and (15). The mean of the predicted step
/// counts as a constant (section 3.1), so derivatives are with respect to v alone.
public struct NoiseBound: Sendable {
  /// Difference between the posterior's mean and the predicted one where the predicted noise is 1 too
  /// large.
  public var meanPerNoise: Double
  /// The log-variances that v = 1 and v = -1 stand for: those of beta and of the posterior.
  public var upper: Double
  public var lower: Double
  /// Whether the step leads to the image, of 8 bits in [-1, 1]: its term is the image's likelihood, the
  /// others are divergences from the posterior.
  public var decodes: Bool

  public init(meanPerNoise: Double, upper: Double, lower: Double, decodes: Bool) {
    (self.meanPerNoise, self.upper, self.lower) = (meanPerNoise, upper, lower)
    self.decodes = decodes
  }

  /// The term in bits and its derivative with respect to v. NaN where the network's numbers are not
  /// finite.
  ///
  /// - Parameters:
  ///   - off: predicted noise less the true one.
  ///   - clean: the image's element in [-1, 1].
  func term(off: Double, v: Double, clean: Double) -> (bits: Double, slope: Double) {
    let share = (v + 1) / 2
    let logVariance = share * upper + (1 - share) * lower
    let off = meanPerNoise * off
    let (nats, slope) =
      decodes ? likelihood(off, logVariance, clean) : divergence(off, logVariance)
    let ln2 = 0.6931471805599453
    return (nats / ln2, slope * (upper - lower) / (2 * ln2))
  }

  /// KL(N(mean, e^lower) || N(mean + off, e^logVariance)), and its derivative by the log-variance.
  private func divergence(_ off: Double, _ logVariance: Double) -> (Double, Double) {
    let ratio = PortableMath.saturatingExp(lower - logVariance)
    let squares = off * off * PortableMath.saturatingExp(-logVariance)
    return ((logVariance - lower - 1 + ratio + squares) / 2, (1 - ratio - squares) / 2)
  }

  /// -ln of the probability that N(clean - off, e^logVariance) gives to the image's level of 256, whose
  /// outermost are open, and its derivative by the log-variance. It is cut at 10^-12.
  private func likelihood(_ off: Double, _ logVariance: Double, _ clean: Double) -> (
    Double, Double
  ) {
    let scale = PortableMath.saturatingExp(-logVariance / 2)  // 1 / deviation
    let half = 1 / 255.0
    var (mass, slope) = (0.0, 0.0)  // slope: by the logarithm of the scale
    if clean < -0.999 {
      let edge = Normal(scale * (off + half))
      (mass, slope) = (edge.below, edge.density * edge.z)
    } else if clean > 0.999 {
      let edge = Normal(scale * (off - half))
      (mass, slope) = (edge.above, -edge.density * edge.z)
    } else {  // mirrored to the lower tail, where a difference of small numbers is precise
      let far = Normal(scale * (-off.magnitude - half))
      let near = Normal(scale * (-off.magnitude + half))
      mass = near.below - far.below
      slope = near.density * near.z - far.density * far.z
    }
    guard !mass.isNaN else { return (.nan, .nan) }
    let least = 1e-12
    guard mass > least else { return (-PortableMath.log(least), 0) }
    return (-PortableMath.log(mass), slope / (2 * mass))
  }

  /// The standard normal distribution at z, in the approximation that networks of this kind are trained
  /// with: below = (1 + tanh(sqrt(2 / pi) (z + 0.044715 z^3))) / 2 = logistic(twice as much).
  private struct Normal {
    let z: Double
    let below: Double
    let above: Double
    /// The derivative of `below`.
    let density: Double

    init(_ z: Double) {
      let twice = 1.5957691216057308  // 2 sqrt(2 / pi)
      let u = twice * z * (1 + 0.044715 * z * z)
      (self.z, below, above) = (z, PortableMath.logistic(u), PortableMath.logistic(-u))
      density = below * above * twice * (1 + 0.134145 * z * z)
    }
  }
}
