import Diffusion

/// The formulation: noise levels or timesteps, what the network predicts, and the loss.
///
/// Source: EDM: Karras et al., arXiv:2206.00364, Table 1; sigma is in units of pixels in [-1, 1]. DDPM:
/// Ho et al., arXiv:2006.11239; Nichol and Dhariwal, arXiv:2102.09672.
package struct DiffusionSettings: Equatable, Sendable {
  package enum Kind: String, CaseIterable, Sendable { case edm, ddpm }
  package enum Schedule: String, CaseIterable, Sendable { case linear, cosine }
  package enum Loss: String, CaseIterable, Sendable {
    case mse, hybrid
    case smoothL1 = "smooth_l1"
  }
  package enum Timesteps: String, CaseIterable, Sendable { case uniform, importance }

  /// Which formulation.
  package var kind = Kind.edm
  /// Of `edm`: ln sigma ~ N(pMean, pStd^2) in training.
  package var pMean = EDM().pMean
  package var pStd = EDM().pStd
  /// Of `edm`: standard deviation of the data.
  package var sigmaData = EDM().sigmaData
  /// Probability that a training image loses its label; without effect where `model.classes` is 0.
  package var labelDropout = 0.1
  /// Of `ddpm`: how beta grows.
  package var schedule = Schedule.linear
  /// Of `ddpm`: timesteps T.
  package var steps = 1_000
  /// Of `ddpm`: what is minimised.
  package var loss = Loss.hybrid
  /// Of `ddpm`: whether the network also gives the variance of a step; `hybrid` trains it.
  package var learnedVariance = true
  /// Of `ddpm`: how the timesteps of training images are drawn.
  package var timesteps = Timesteps.uniform

  package init() {}

  /// EDM has no such variance.
  var learnsVariance: Bool { kind == .ddpm && learnedVariance }
  /// Timesteps that are drawn by importance; 0: none are.
  package var importanceSteps: Int { kind == .ddpm && timesteps == .importance ? steps : 0 }

}

extension DiffusionSettings: SettingsSection {
  static let meaning =
    "The formulation of diffusion: noise levels or timesteps, what the network predicts, and the loss."

  static let settings: [Setting<DiffusionSettings>] = [
    Setting(
      "kind", \.kind, .choice,
      """
      The formulation: `edm` with noise levels, or `ddpm` with timesteps and noise prediction. \
      Both networks, `image` and `latent`, take either.
      """),
    Setting(
      "p_mean", \.pMean, .number, .range(-20...20),
      "Of `edm`: the mean of the logarithm of the noise level in training."),
    Setting(
      "p_std", \.pStd, .number, .positive(atMost: 20),
      "Of `edm`: the standard deviation of the logarithm of the noise level in training."),
    Setting(
      "sigma_data", \.sigmaData, .number, .positive,
      "Of `edm`: the standard deviation of the data. Pixels are in [-1, 1]."),
    Setting(
      "label_dropout", \.labelDropout, .number, .range(0...1),
      """
      Share of training images whose label is left out, which classifier-free guidance needs. It \
      has no effect where `model.classes` is 0.
      """),
    Setting(
      "schedule", \.schedule, .choice, "Of `ddpm`: how the noise of a step, beta, grows."),
    Setting("steps", \.steps, .whole, .range(2...100_000), "Of `ddpm`: the number of timesteps."),
    Setting(
      "loss", \.loss, .choice,
      """
      Of `ddpm`: the loss of the predicted noise, `mse` or `smooth_l1`, or `hybrid`, which also \
      trains the learned variance.
      """),
    Setting(
      "learned_variance", \.learnedVariance, .flag,
      """
      Of `ddpm`: whether the network also gives the variance of a step. It is true with the loss \
      `hybrid`, and false with the others.
      """),
    Setting(
      "timesteps", \.timesteps, .choice,
      """
      Of `ddpm`: how the timesteps of training images are drawn: `uniform`, or by `importance`, \
      in proportion to the size of their recent losses.
      """),
  ]

  func validate() throws(SettingProblem) {
    try require(
      kind != .ddpm || steps <= schedule.mostSteps, \.steps,
      expected: "at most \(schedule.mostSteps) with diffusion.schedule \(schedule.rawValue): more"
        + " leave nothing of an image that a number could hold",
      remedy: "lower diffusion.steps, or use another schedule")
    try require(
      kind != .ddpm || (loss == .hybrid) == learnedVariance, \.learnedVariance,
      expected: "\(loss == .hybrid), since the loss \(loss.rawValue)"
        + (loss == .hybrid ? " is made of a variance" : " would not train a variance"),
      remedy: "set diffusion.learned_variance=\(loss == .hybrid), or another diffusion.loss")
  }
}

extension DiffusionSettings.Schedule {
  /// The most timesteps of this schedule.
  package var mostSteps: Int { (self == .linear ? DDPM.Schedule.linear : .cosine).mostSteps }
}

extension DiffusionSettings {
  /// How the network's input and result are read.
  package var formulation: any Formulation {
    switch kind {
    case .edm: EDM(pMean: pMean, pStd: pStd, sigmaData: sigmaData)
    case .ddpm:
      DDPM(
        schedule: schedule == .linear ? .linear : .cosine, steps: steps, loss: publishedLoss,
        learnedVariance: learnedVariance)
    }
  }

  private var publishedLoss: DDPM.Loss {
    switch loss {
    case .mse: .mse
    case .smoothL1: .smoothL1
    case .hybrid: .hybrid
    }
  }
}
