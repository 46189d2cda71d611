import FileFormats
import Images
import ModelLoading
import Operators
import TensorCore

/// Decodes the latents that a network samples into images.
package struct LatentDecoder {
  /// The autoencoder.
  package let autoencoder: Autoencoder
  /// What latents were multiplied by for the training.
  package let scale: Double

  /// Opens the autoencoder that encoded the latents of a run.
  ///
  /// - Parameters:
  ///   - facts: what the run's manifest says about its latents.
  ///   - channels: channels of the latents.
  ///   - setting: names the option or the setting in errors, `--vae`.
  /// - Throws: `AutoencoderError`; `LatentsError.otherAutoencoder` where it is another one.
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

  /// Opens any autoencoder, for a network whose latents nothing is known of.
  ///
  /// - Parameters:
  ///   - scale: what latents were multiplied by; 0: what the autoencoder's maker multiplies them by.
  ///   - channels: channels of the latents.
  package init(
    _ path: String, scale: Double, channels: Int, on context: ComputeContext
  ) throws {
    autoencoder = try Autoencoder.open(path, .init(latentChannels: channels), on: context)
    self.scale =
      scale > 0 ? scale : autoencoder.scalingFactor ?? DiffusersVAE.standardScale
  }

  /// Decodes latents.
  ///
  /// - Parameters:
  ///   - z: [B, h, w, C], multiplied by `scale` as the network has them.
  ///   - notFinite: told the index of each image with values that are not finite.
  package func images(
    _ z: Tensor, notFinite: (Int) throws -> Void
  ) rethrows -> [RGBImage] {
    let factors = (0..<z.shape[0]).map { _ in Float(1 / scale) }
    return try autoencoder.images(scaled(z, by: factors), notFinite: notFinite)
  }
}
