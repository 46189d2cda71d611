/// What a run's manifest says of its latents; no settings. Pictures can be drawn without the latents.
package struct LatentMetadata: Equatable, Sendable {
  /// Digest of the autoencoder.
  package var vae: String
  package var factor: Int
  package var scale: Double

  /// What the keys in a manifest begin with.
  package static let prefix = "data.latents."
  package static let vaeKey = prefix + "vae"
  private static let factorKey = prefix + "factor"
  private static let scaleKey = prefix + "scale"

  package init(vae: String, factor: Int, scale: Double) {
    (self.vae, self.factor, self.scale) = (vae, factor, scale)
  }

  /// Nil where a manifest tells nothing of latents.
  package init?(manifest: [String: String]) {
    guard let vae = manifest[Self.vaeKey],
      let factor = manifest[Self.factorKey].flatMap({ Int($0) }),
      let scale = manifest[Self.scaleKey].flatMap({ Double($0) }), factor > 0, scale > 0
    else { return nil }
    (self.vae, self.factor, self.scale) = (vae, factor, scale)
  }

  package var entries: [String: String] {
    [Self.vaeKey: vae, Self.factorKey: "\(factor)", Self.scaleKey: "\(scale)"]
  }
}
