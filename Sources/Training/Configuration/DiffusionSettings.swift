/// The formulation: noise levels, preconditioning and guidance.
///
/// Source: Karras et al., arXiv:2206.00364, Table 1. Sigma is in units of pixels in [-1, 1].
public struct DiffusionSettings: Codable, Equatable, Sendable {
  public enum Kind: String, Codable, CaseIterable, Sendable { case edm, ddpm }

  public var kind = Kind.edm
  /// ln sigma ~ N(pMean, pStd^2) in training.
  public var pMean = -1.2
  public var pStd = 1.2
  public var sigmaData = 0.5
  /// Probability that a training image loses its label; without effect where `model.classes` is 0.
  public var labelDropout = 0.1
  /// Whether the network also gives the variance of DDPM's steps.
  public var learnedVariance = true

  public init() {}

  /// EDM has no such variance.
  var learnsVariance: Bool { kind == .ddpm && learnedVariance }

  public enum CodingKeys: String, CodingKey {
    case kind
    case pMean = "p_mean"
    case pStd = "p_std"
    case sigmaData = "sigma_data"
    case labelDropout = "label_dropout"
    case learnedVariance = "learned_variance"
  }
}

extension DiffusionSettings: SettingsSection {
  typealias Key = CodingKeys

  static var settings: [Setting<DiffusionSettings>] {
    [
      Setting(Key.kind, \.kind, .choice),
      Setting(Key.pMean, \.pMean, .number),
      Setting(Key.pStd, \.pStd, .number),
      Setting(Key.sigmaData, \.sigmaData, .number),
      Setting(Key.labelDropout, \.labelDropout, .number),
      Setting(Key.learnedVariance, \.learnedVariance, .flag),
    ]
  }

  func validate() throws(SettingProblem) {
    try requireBuilt(.kind, kind, only: .edm)
    try require(.pMean, pMean, in: -20...20)
    try require(pStd > 0 && pStd <= 20, .pStd, pStd, expected: "a number above 0, at most 20")
    try requirePositive(.sigmaData, sigmaData)
    try require(.labelDropout, labelDropout, in: 0...1)
  }
}
