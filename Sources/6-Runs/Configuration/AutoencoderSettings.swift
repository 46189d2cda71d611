import DiffiTModels

/// The loss of an autoencoder; without effect where `model.kind` is another.
///
/// Source: Rombach et al., arXiv:2112.10752, appendix G; Esser et al., arXiv:2012.09841, eq. (6)-(7).
package struct AutoencoderSettings: Equatable, Sendable {
  /// Weight of the KL divergence, as published: beside the sum of |x - y| over an image's elements.
  package var klWeight = 1e-6
  /// Path of VGG16 and LPIPS weights. Empty: no perceptual term.
  package var perceptual = ""
  /// Weight of the perceptual term.
  package var perceptualWeight = 1.0
  /// Images before the discriminator takes part. 0: there is none.
  package var discriminatorStart = 0
  /// Weight of the discriminator's term, relative to the weight that balances gradients.
  package var discriminatorWeight = 0.5
  /// The discriminator.
  package var discriminator = PatchDiscriminator.Settings()

  package init() {}
}

extension AutoencoderSettings: SettingsSection {
  static let meaning =
    "The loss of an autoencoder. It has an effect only where `model.kind` is `vae`."

  static let settings: [Setting<AutoencoderSettings>] = [
    Setting(
      "kl_weight", \.klWeight, .number, .notNegative,
      "Weight of the KL divergence, beside the sum of absolute differences over an image."),
    Setting(
      "perceptual", \.perceptual, .text,
      """
      File of VGG16 and LPIPS weights for the perceptual term, which `launch/convert-lpips.py` \
      makes. Empty: the loss has no such term.
      """),
    Setting(
      "perceptual_weight", \.perceptualWeight, .number, .notNegative,
      "Weight of the perceptual term."),
    Setting(
      "discriminator_start", \.discriminatorStart, .images, .range(0...ImageCount.largest),
      "Images seen before the patch discriminator takes part. 0: there is no discriminator."),
    Setting(
      "discriminator_weight", \.discriminatorWeight, .number, .notNegative,
      """
      Weight of the discriminator's term. At 1 its gradient at the last layer is as long as that \
      of the other terms.
      """),
    Setting(
      "discriminator_width", \.discriminator.width, .whole, .range(1...1_024),
      "Channels of the discriminator's first layer."),
    Setting(
      "discriminator_layers", \.discriminator.layers, .whole, .range(1...8),
      "Layers of stride 2 in the discriminator. 3 layers look at patches of 70 pixels."),
  ]
}
