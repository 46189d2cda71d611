import Diffusion
import TensorCore

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
  package enum Coupling: String, CaseIterable, Sendable {
    case none
    case bestOf = "best_of"
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
  /// Of `edm`: whether the loss has a learned weight over noise levels.
  package var uncertainty = false
  /// Of `edm`: how the noise of a training image is chosen.
  package var coupling = Coupling.none
  /// Of `best_of`: draws of noise per image.
  package var candidates = 4

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
    Setting(
      "uncertainty", \.uncertainty, .flag,
      """
      Of `edm`: whether a weight over noise levels is learned beside the network, so that every \
      level contributes alike to the gradient. The losses that are reported are without it.
      """),
    Setting(
      "coupling", \.coupling, .choice,
      """
      Of `edm`: how the noise of a training image is chosen. `none` takes any; `best_of` takes, of \
      `diffusion.candidates` draws, the one with the largest inner product with the image. Only \
      deterministic samplers are right for the network then. The held-out loss is without it.
      """),
    Setting(
      "candidates", \.candidates, .whole, .range(2...64),
      "Of `best_of`: the number of draws of noise per image."),
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
    try require(
      kind == .edm || !uncertainty, \.uncertainty,
      expected: "false with diffusion.kind \(kind), whose loss has other weights",
      remedy: "leave it out, or set diffusion.kind=edm")
    try require(
      kind == .edm || coupling == .none, \.coupling,
      expected: "none with diffusion.kind \(kind)",
      remedy: "leave it out, or set diffusion.kind=edm")
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

  /// The noise of the training images at `positions` of a run; see `trainingNoise`.
  package func noise(seed: UInt64, positions: [UInt64], like images: Tensor) -> Tensor {
    coupling == .none
      ? trainingNoise(seed: seed, positions: positions, like: images)
      : coupledNoise(seed: seed, positions: positions, to: images, candidates: candidates)
  }

  private var publishedLoss: DDPM.Loss {
    switch loss {
    case .mse: .mse
    case .smoothL1: .smoothL1
    case .hybrid: .hybrid
    }
  }
}
