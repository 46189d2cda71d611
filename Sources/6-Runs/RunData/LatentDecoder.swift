import FileFormats
import ModelLoading
import Operators
import TensorCore

/// Turns what a latent network draws into pictures.
package struct LatentDecoder {
  package let autoencoder: Autoencoder
  /// What latents were multiplied by for the training.
  package let scale: Double

  /// Opens the autoencoder that the latents of a run are of.
  ///
  /// - Throws: `AutoencoderError`, and `LatentsError.otherAutoencoder` where it is another one.
  package init(
    _ path: String, for facts: LatentMetadata, channels: Int, setting: String,
    on context: ComputeContext
  ) throws {
    autoencoder = try Autoencoder.open(
      path, .init(factor: facts.factor, latentChannels: channels), on: context)
    guard autoencoder.digest == facts.vae else {
      throw LatentsError.otherAutoencoder(
        what: "\(setting): \(path)", found: autoencoder.digest, expected: facts.vae)
    }
    scale = facts.scale
  }

  /// - Parameter z: [B, h, w, C], as the network has them.
  package func images(_ z: Tensor) -> [RGBImage] {
    let factors = (0..<z.shape[0]).map { _ in Float(1 / scale) }
    return autoencoder.images(scaled(z, by: factors))
  }
}
