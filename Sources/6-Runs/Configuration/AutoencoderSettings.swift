/// The loss of an autoencoder; without effect where `model.kind` is another.
///
/// Source: Rombach et al., arXiv:2112.10752, appendix G; Esser et al., arXiv:2012.09841, eq. (6)-(7).
package struct AutoencoderSettings: Codable, Equatable, Sendable {
  /// Weight of the KL divergence, as published: beside the sum of |x - y| over an image's elements.
  package var klWeight = 1e-6
  /// VGG16 and LPIPS weights, a file that `launch/convert-lpips.py` makes. Empty: no perceptual term.
  package var perceptual = ""
  package var perceptualWeight = 1.0
  /// Images before the discriminator takes part. 0: there is none.
  package var discriminatorStart = 0
  /// Its weight, times that which makes its gradient at the last layer as long as the other terms'.
  package var discriminatorWeight = 0.5
  /// Channels of its first layer.
  package var discriminatorWidth = 64
  /// Its layers of stride 2.
  package var discriminatorLayers = 3

  package init() {}

  package enum CodingKeys: String, CodingKey {
    case klWeight = "kl_weight"
    case perceptual
    case perceptualWeight = "perceptual_weight"
    case discriminatorStart = "discriminator_start"
    case discriminatorWeight = "discriminator_weight"
    case discriminatorWidth = "discriminator_width"
    case discriminatorLayers = "discriminator_layers"
  }
}

extension AutoencoderSettings: SettingsSection {
  typealias Key = CodingKeys

  static var settings: [Setting<AutoencoderSettings>] {
    [
      Setting(Key.klWeight, \.klWeight, .number),
      Setting(Key.perceptual, \.perceptual, .text),
      Setting(Key.perceptualWeight, \.perceptualWeight, .number),
      Setting(Key.discriminatorStart, \.discriminatorStart, .images),
      Setting(Key.discriminatorWeight, \.discriminatorWeight, .number),
      Setting(Key.discriminatorWidth, \.discriminatorWidth, .whole),
      Setting(Key.discriminatorLayers, \.discriminatorLayers, .whole),
    ]
  }

  func validate() throws(SettingProblem) {
    try requireNotNegative(.klWeight, klWeight)
    try requireNotNegative(.perceptualWeight, perceptualWeight)
    try require(.discriminatorStart, discriminatorStart, in: 0...ImageCount.largest)
    try requireNotNegative(.discriminatorWeight, discriminatorWeight)
    try require(.discriminatorWidth, discriminatorWidth, in: 1...1_024)
    try require(.discriminatorLayers, discriminatorLayers, in: 1...8)
  }
}
