import Diffusion

/// The formulation: noise levels or timesteps, what the network predicts, and the loss.
///
/// Source: EDM: Karras et al., arXiv:2206.00364, Table 1; sigma is in units of pixels in [-1, 1]. DDPM:
/// Ho et al., arXiv:2006.11239; Nichol and Dhariwal, arXiv:2102.09672.
package struct DiffusionSettings: Codable, Equatable, Sendable {
  package enum Kind: String, Codable, CaseIterable, Sendable { case edm, ddpm }
  package enum Schedule: String, Codable, CaseIterable, Sendable { case linear, cosine }
  package enum Loss: String, Codable, CaseIterable, Sendable {
    case mse, hybrid
    case smoothL1 = "smooth_l1"
  }
  package enum Timesteps: String, Codable, CaseIterable, Sendable { case uniform, importance }

  package var kind = Kind.edm
  /// Of `edm`: ln sigma ~ N(pMean, pStd^2) in training.
  package var pMean = -1.2
  package var pStd = 1.2
  package var sigmaData = 0.5
  /// Probability that a training image loses its label; without effect where `model.classes` is 0.
  package var labelDropout = 0.1
  /// Of `ddpm`: how beta grows.
  package var schedule = Schedule.linear
  /// Of `ddpm`: timesteps T.
  package var steps = 1_000
  /// Of `ddpm`.
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

  package enum CodingKeys: String, CodingKey {
    case kind, schedule, steps, loss, timesteps
    case pMean = "p_mean"
    case pStd = "p_std"
    case sigmaData = "sigma_data"
    case labelDropout = "label_dropout"
    case learnedVariance = "learned_variance"
  }
}

extension DiffusionSettings: SettingsSection {
  typealias Key = CodingKeys

  package static var settings: [Setting<DiffusionSettings>] {
    [
      Setting(Key.kind, \.kind, .choice),
      Setting(Key.pMean, \.pMean, .number),
      Setting(Key.pStd, \.pStd, .number),
      Setting(Key.sigmaData, \.sigmaData, .number),
      Setting(Key.labelDropout, \.labelDropout, .number),
      Setting(Key.schedule, \.schedule, .choice),
      Setting(Key.steps, \.steps, .whole),
      Setting(Key.loss, \.loss, .choice),
      Setting(Key.learnedVariance, \.learnedVariance, .flag),
      Setting(Key.timesteps, \.timesteps, .choice),
    ]
  }

  package func validate() throws(SettingProblem) {
    try require(.pMean, pMean, in: -20...20)
    try require(pStd > 0 && pStd <= 20, .pStd, pStd, expected: "a number above 0, at most 20")
    try requirePositive(.sigmaData, sigmaData)
    try require(.labelDropout, labelDropout, in: 0...1)
    try require(.steps, steps, in: 2...100_000)
    try require(
      kind != .ddpm || (loss == .hybrid) == learnedVariance, .learnedVariance, learnedVariance,
      expected: "\(loss == .hybrid), since the loss \(loss.rawValue)"
        + (loss == .hybrid ? " is made of a variance" : " would not train a variance"),
      remedy: "set diffusion.learned_variance=\(loss == .hybrid), or another diffusion.loss")
  }
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
