import TensorCore

/// Denoising diffusion in discrete timesteps: noise prediction, and optionally a learned variance.
///
/// Source: Ho et al., arXiv:2006.11239; Nichol and Dhariwal, arXiv:2102.09672. Timesteps are 0..<T, less
/// by 1 than the papers', and x_t = sqrt(alpha-bar_t) y + sqrt(1 - alpha-bar_t) n. Samplers work in
/// x = x_t / sqrt(alpha-bar_t), whose noise level is `sigma(timestep:)`. Tables are f64.
public struct DDPM: Sendable {
  /// How beta_t grows.
  public enum Schedule: String, Sendable, CaseIterable {
    /// From 1e-4 to 0.02 in equal steps, whatever T.
    case linear
    /// alpha-bar falls as a squared cosine, arXiv:2102.09672, eq. (17), with s = 0.008 and beta <= 0.999.
    case cosine
  }

  /// What training minimises, a mean over elements.
  public enum Loss: String, Sendable, CaseIterable {
    case mse
    case smoothL1 = "smooth_l1"
    /// MSE of the noise, and for the variance the variational bound in bits an element, with the
    /// predicted mean held fixed.
    case hybrid
  }

  public let schedule: Schedule
  /// T.
  public let steps: Int
  public let loss: Loss
  /// Whether the second half of the network's channels is v, with log variance = f ln beta +
  /// (1 - f) ln beta-tilde, f = (v + 1) / 2.
  public let learnedVariance: Bool

  // By timestep.
  public let betas: [Double]
  /// alpha-bar.
  public let alphasCumulative: [Double]
  /// beta-tilde, the variance of q(x_{t-1} | x_t, x_0); 0 at t = 0.
  public let posteriorVariance: [Double]
  /// ln beta-tilde, with that of t = 1 at t = 0.
  public let posteriorLogVarianceClipped: [Double]
  /// The posterior's mean is `posteriorMeanClean` x_0 + `posteriorMeanNoisy` x_t.
  public let posteriorMeanClean: [Double]
  public let posteriorMeanNoisy: [Double]
  /// sqrt((1 - alpha-bar) / alpha-bar).
  public let sigmas: [Double]
  let logSigmas: [Double]

  /// - Parameters:
  ///   - steps: T, at least 2.
  ///   - learnedVariance: needs the loss `hybrid`, and is needed by it. No other loss would train v;
  ///     where a network has channels for it all the same, they are left alone.
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
