import TensorCore

/// Denoising diffusion in discrete timesteps (DDPM): the network predicts the noise and, as an
/// option, a variance.
///
/// Source: Ho et al., arXiv:2006.11239; Nichol and Dhariwal, arXiv:2102.09672. Timesteps are 0..<T,
/// one less than in the papers, and x_t = sqrt(alpha-bar_t) y + sqrt(1 - alpha-bar_t) n. Samplers
/// work with x = x_t / sqrt(alpha-bar_t), whose noise level is `sigma(timestep:)`. Tables are f64.
///
/// ```swift
/// import Diffusion
///
/// let ddpm = DDPM(schedule: .cosine, loss: .hybrid, learnedVariance: true)
/// print(ddpm.respaced(4), ddpm.levels(steps: 4).sigmas)  // 4 of 1,000 timesteps, and their levels
/// ```
public struct DDPM: Sendable {
  /// How beta_t grows with t.
  public enum Schedule: String, Sendable, CaseIterable {
    /// From 1e-4 to 0.02 in equal steps, for any T.
    case linear
    /// alpha-bar falls like a squared cosine: arXiv:2102.09672, eq. (17), with s = 0.008 and beta
    /// <= 0.999.
    case cosine
  }

  /// The training loss of a predicted noise, as a mean over elements.
  public enum Loss: String, Sendable, CaseIterable {
    /// The squared error.
    case mse
    /// The smooth L1 distance (Huber loss): d^2 / 2 if |d| < 1, else |d| - 1/2.
    case smoothL1 = "smooth_l1"
    /// The squared error of the noise plus, for the variance, the variational bound in bits per
    /// element with the predicted mean held fixed.
    case hybrid
  }

  /// How beta_t grows.
  public let schedule: Schedule
  /// T, the number of timesteps.
  public let steps: Int
  /// What training minimises.
  public let loss: Loss
  /// Whether the second half of the network's channels is v, with log variance = f ln beta + (1 -
  /// f) ln beta-tilde, f = (v + 1) / 2.
  public let learnedVariance: Bool

  /// beta_t, the variance of the noise added at each timestep, [T].
  public let betas: [Double]
  /// alpha-bar_t, the product of 1 - beta up to each timestep, [T].
  public let alphasCumulative: [Double]
  /// beta-tilde, the variance of q(x_{t-1} | x_t, x_0), [T]; 0 at t = 0.
  public let posteriorVariance: [Double]
  /// ln beta-tilde, [T]; the value of t = 1 also stands at t = 0, where it would be infinite.
  public let posteriorLogVarianceClipped: [Double]
  /// The factor of x_0 in the mean of q(x_{t-1} | x_t, x_0), [T].
  public let posteriorMeanClean: [Double]
  /// The factor of x_t in the mean of q(x_{t-1} | x_t, x_0), [T].
  public let posteriorMeanNoisy: [Double]
  /// The noise level of each timestep, sqrt((1 - alpha-bar) / alpha-bar), [T].
  public let sigmas: [Double]
  let logSigmas: [Double]

  /// Computes the tables.
  ///
  /// - Parameters:
  ///   - schedule: how beta_t grows.
  ///   - steps: T, at least 2.
  ///   - loss: what training minimises.
  ///   - learnedVariance: whether the network's second half of channels is v. It must be true for
  ///     the loss `hybrid` and false for the others, which would not train v. If a network has
  ///     channels for v all the same, they are ignored.
  public init(
    schedule: Schedule = .linear, steps: Int = 1000, loss: Loss = .mse,
    learnedVariance: Bool = false
  ) {
    invariant(steps >= 2, "DDPM: \(steps) steps")
    invariant(
      learnedVariance == (loss == .hybrid),
      "DDPM: the loss \(loss.rawValue) \(learnedVariance ? "with" : "without") a learned variance")
    (self.schedule, self.steps) = (schedule, steps)
    (self.loss, self.learnedVariance) = (loss, learnedVariance)
    betas = schedule.betas(steps)
    var (kept, before) = (1.0, 1.0)  // alpha-bar of this timestep and of the one before
    var now: [Double] = []
    var (variance, clean, noisy): ([Double], [Double], [Double]) = ([], [], [])
    for beta in betas {
      (before, kept) = (kept, kept * (1 - beta))
      now.append(kept)
      variance.append(beta * (1 - before) / (1 - kept))
      clean.append(beta * before.squareRoot() / (1 - kept))
      noisy.append((1 - beta).squareRoot() * (1 - before) / (1 - kept))
    }
    (alphasCumulative, posteriorVariance) = (now, variance)
    (posteriorMeanClean, posteriorMeanNoisy) = (clean, noisy)
    posteriorLogVarianceClipped = ([variance[1]] + variance.dropFirst()).map(PortableMath.log)
    sigmas = now.map { ((1 - $0) / $0).squareRoot() }
    logSigmas = sigmas.map(PortableMath.log)
  }
}

extension DDPM.Schedule {
  /// The most timesteps whose noise levels single precision holds. With more, alpha-bar of the
  /// linear schedule falls below 1e-70: its last levels, sqrt(1 / alpha-bar - 1), leave the range of
  /// the network's numbers, and from about 71,000 timesteps on alpha-bar is 0.
  public var mostSteps: Int { self == .linear ? 16_000 : 100_000 }

  fileprivate func betas(_ steps: Int) -> [Double] {
    switch self {
    case .linear:
      return (0..<steps).map { 1e-4 + (0.02 - 1e-4) * Double($0) / Double(steps - 1) }
    case .cosine:
      let kept = (0...steps).map {
        let quarters = (Double($0) / Double(steps) + 0.008) / 1.008
        let cosine = PortableMath.sinCosOfTurns(quarters / 4).cos
        return cosine * cosine
      }
      return zip(kept, kept.dropFirst()).map { min(1 - $1 / $0, 0.999) }
    }
  }
}
