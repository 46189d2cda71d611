import Checkpoints
import TensorCore

extension RestoredModel {
  /// Nil where the network draws pixels.
  var latents: LatentFacts? { LatentFacts(manifest: reader.manifest.configuration) }

  /// The autoencoder that makes pictures of what the network draws; nil where it draws pixels.
  ///
  /// - Parameters:
  ///   - path: instead of `data.vae` of the run.
  ///   - isNeeded: whether pictures are to be made.
  /// - Throws: `LatentsError.noAutoencoder` where one is needed and none is named.
  func decoder(_ path: String?, isNeeded: Bool, on engine: Engine) throws -> LatentDecoder? {
    guard let latents else {
      if let path { throw LatentsError.needlessAutoencoder(path: path) }
      return nil
    }
    guard isNeeded else { return nil }
    let chosen = path ?? configuration.data.vae
    guard !chosen.isEmpty else { throw LatentsError.noAutoencoder(what: reader.url.path) }
    return try LatentDecoder(
      chosen, for: latents, channels: configuration.model.latentChannels,
      setting: path == nil ? "data.vae" : "--vae", on: engine)
  }
}
