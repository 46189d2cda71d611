import TensorCore

/// The variational bound's term of one timestep, as a function of what a network predicts for an
/// element: the noise, and the interpolation v of the log variance.
///
/// Source: Nichol and Dhariwal, arXiv:2102.09672, eq. (4)-(7) and (15). The mean of the predicted
/// step counts as a constant (section 3.1), so derivatives are with respect to v only.
public struct NoiseBound: Sendable {
  /// The difference between the posterior's mean and the predicted mean if the predicted noise is
  /// too large by 1.
  public var meanPerNoise: Double
  /// The log variance that v = 1 stands for: that of beta.
  public var upper: Double
  /// The log variance that v = -1 stands for: that of the posterior.
  public var lower: Double
  /// Whether the step leads to the image itself, with 8 bits per element in [-1, 1]. Its term is
  /// the likelihood of the image; the terms of other steps are divergences from the posterior.
  public var decodes: Bool

  /// The term with these coefficients.
  public init(meanPerNoise: Double, upper: Double, lower: Double, decodes: Bool) {
    (self.meanPerNoise, self.upper, self.lower) = (meanPerNoise, upper, lower)
    self.decodes = decodes
  }

  /// The term in bits, and its derivative with respect to v. Both are NaN if the network's numbers
  /// are not finite.
  ///
  /// - Parameters:
  ///   - difference: the predicted noise minus the true noise.
  ///   - v: the predicted interpolation.
  ///   - clean: the element of the image, in [-1, 1].
  func term(difference: Double, v: Double, clean: Double) -> (bits: Double, slope: Double) {
    let share = (v + 1) / 2
    let logVariance = share * upper + (1 - share) * lower
    let difference = meanPerNoise * difference
    let (nats, slope) =
      decodes ? likelihood(difference, logVariance, clean) : divergence(difference, logVariance)
    let ln2 = 0.6931471805599453
    return (nats / ln2, slope * (upper - lower) / (2 * ln2))
  }

  /// KL(N(mean, e^lower) || N(mean + difference, e^logVariance)), and its derivative with respect
  /// to the log variance.
  private func divergence(_ difference: Double, _ logVariance: Double) -> (Double, Double) {
    let ratio = PortableMath.saturatingExp(lower - logVariance)
    let squares = difference * difference * PortableMath.saturatingExp(-logVariance)
    return ((logVariance - lower - 1 + ratio + squares) / 2, (1 - ratio - squares) / 2)
  }

  /// The negative logarithm of the probability that N(clean - difference, e^logVariance) gives to
  /// the image's level of 256, and its derivative with respect to the log variance. The two
  /// outermost levels extend to infinity. The probability is cut off at 10^-12.
  private func likelihood(_ difference: Double, _ logVariance: Double, _ clean: Double) -> (
    Double, Double
  ) {
    let scale = PortableMath.saturatingExp(-logVariance / 2)  // 1 / deviation
    let half = 1 / 255.0
    var (mass, slope) = (0.0, 0.0)  // slope: by the logarithm of the scale
    if clean < -0.999 {
      let edge = Normal(scale * (difference + half))
      (mass, slope) = (edge.below, edge.density * edge.z)
    } else if clean > 0.999 {
      let edge = Normal(scale * (difference - half))
      (mass, slope) = (edge.above, -edge.density * edge.z)
    } else {  // mirrored to the lower tail, where a difference of small numbers is precise
      let far = Normal(scale * (-difference.magnitude - half))
      let near = Normal(scale * (-difference.magnitude + half))
      mass = near.below - far.below
      slope = near.density * near.z - far.density * far.z
    }
    guard !mass.isNaN else { return (.nan, .nan) }
    let least = 1e-12
    guard mass > least else { return (-PortableMath.log(least), 0) }
    return (-PortableMath.log(mass), slope / (2 * mass))
  }

  /// The standard normal distribution at z, in the approximation that such networks are trained
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
