/// What the manifest of a latent run says about its latents. These entries are no settings; with
/// them, images can be sampled without the latents being there.
package struct LatentMetadata: Equatable, Sendable {
  /// Digest of the autoencoder that encoded them, `DiffusersVAE.digest`.
  package var vae: String
  /// How many pixels a latent stands for along an axis.
  package var factor: Int
  /// What latents are multiplied by for the network.
  package var scale: Double

  /// The beginning of all these keys in a manifest.
  package static let prefix = "data.latents."
  /// The manifest's key of `vae`.
  package static let vaeKey = prefix + "vae"
  private static let factorKey = prefix + "factor"
  private static let scaleKey = prefix + "scale"

  /// Takes the three facts as they are.
  package init(vae: String, factor: Int, scale: Double) {
    (self.vae, self.factor, self.scale) = (vae, factor, scale)
  }

  /// Reads a manifest's entries; nil where they say nothing about latents, or nothing that can be.
  package init?(manifest: [String: String]) {
    guard let vae = manifest[Self.vaeKey],
      let factor = manifest[Self.factorKey].flatMap({ Int($0) }),
      let scale = manifest[Self.scaleKey].flatMap({ Double($0) }),
      (1...1 << 20).contains(factor), scale > 0, scale.isFinite
    else { return nil }
    (self.vae, self.factor, self.scale) = (vae, factor, scale)
  }

  /// The entries for a manifest.
  package var entries: [String: String] {
    [Self.vaeKey: vae, Self.factorKey: "\(factor)", Self.scaleKey: "\(scale)"]
  }
}
