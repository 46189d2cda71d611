import Autodiff
import Checkpoints
import Configuration
import DiffiTModels
import FileFormats
import Foundation
import Images
import ModelLoading
import SystemSupport
import TensorCore

/// An autoencoder with its weights, from a folder in diffusers' layout or from a checkpoint.
package struct Autoencoder {
  /// Where it was read from.
  package let path: String
  /// The network with its weights.
  package let vae: VAE
  /// Digest of the weights, `DiffusersVAE.digest`.
  package let digest: String
  /// What its maker multiplies latents by; nil where nobody said, as of a run of this program.
  package let scalingFactor: Double?

  /// What the autoencoder has to be like, where that is known.
  package struct Needs: Sendable {
    /// How many pixels a latent stands for along an axis.
    package var factor: Int?
    /// Channels of its latents.
    package var latentChannels: Int?

    /// Takes both as they are; nil: anything fits.
    package init(factor: Int? = nil, latentChannels: Int? = nil) {
      (self.factor, self.latentChannels) = (factor, latentChannels)
    }
  }

  /// Reads an autoencoder: a folder in diffusers' layout, or a run or checkpoint of `model.kind:
  /// vae`.
  ///
  /// - Parameters:
  ///   - ema: the average of a checkpoint's weights to use; nil: its first average; `raw`: the
  ///     weights themselves.
  ///   - precision: what the network computes in.
  /// - Throws: `AutoencoderError`, `LatentsError.notAnAutoencoder`, `ModelError`.
  package static func open(
    _ path: String, _ needs: Needs = Needs(), ema: String? = nil,
    precision: TrainSettings.Precision = .fp32, on context: ComputeContext
  ) throws -> Autoencoder {
    if CheckpointReader.isCheckpointOrRun(path) {
      return try open(checkpoint: path, needs, ema: ema, precision: precision, on: context)
    }
    if Files.kindIfPresent(path) == .file {
      try FileUse.autoencoder.check(try FileKind(ofFile: path), path: path)
    }
    let folder = URL(fileURLWithPath: path)
    let description = try DiffusersVAE.describe(
      folder, factor: needs.factor, latentChannels: needs.latentChannels)
    let vae = VAE(description.settings, precision: precision.dtype)
    try DiffusersVAE.read(folder, into: vae, allocatingOn: context)
    return try Autoencoder(path, vae, scalingFactor: description.scalingFactor)
  }

  private init(_ path: String, _ vae: VAE, scalingFactor: Double?) throws {
    guard vae.settings.imageChannels == 3 else {
      throw LatentsError.notAnAutoencoder(
        path: path, found: "one of images with \(vae.settings.imageChannels) channels")
    }
    (self.path, self.vae, self.scalingFactor) = (path, vae, scalingFactor)
    digest = DiffusersVAE.digest(of: vae)
  }

  /// The network of a run of this program.
  private static func open(
    checkpoint path: String, _ needs: Needs, ema: String?, precision: TrainSettings.Precision,
    on context: ComputeContext
  ) throws -> Autoencoder {
    let (reader, _) = try CheckpointReader.find(path)
    let loaded = try LoadedModel(reader, ema: ema)
    guard loaded.configuration.model.kind == .vae else {
      throw LatentsError.notAnAutoencoder(
        path: path, found: "a network of model.kind \(loaded.configuration.model.kind)")
    }
    let settings = loaded.configuration.vaeSettings
    if let factor = needs.factor, factor != settings.factor {
      throw AutoencoderError.factor(path: path, found: settings.factor, expected: factor)
    }
    if let channels = needs.latentChannels, channels != settings.latentChannels {
      throw AutoencoderError.latentChannels(
        path: path, found: settings.latentChannels, expected: channels)
    }
    return try Autoencoder(
      path, try loaded.autoencoder(precision: precision, on: context), scalingFactor: nil)
  }
}

extension Autoencoder {
  /// Pixels per side of a tile; nil where the images that it was trained on are too small for
  /// tiles.
  private var tile: Int? {
    let (side, unit) = (vae.settings.resolution, 4 * vae.settings.factor)
    return side >= unit ? side / unit * unit : nil
  }

  /// Checks that images with so many pixels per side can be encoded.
  ///
  /// - Throws: `LatentsError.resolution`.
  package func check(resolution: Int) throws {
    let settings = vae.settings
    guard resolution % settings.factor == 0 else {
      throw LatentsError.resolution(
        found: resolution, expected: "a multiple of \(settings.factor), the autoencoder's factor")
    }
    guard resolution <= settings.resolution || tile != nil else {
      throw LatentsError.resolution(
        found: resolution,
        expected: "at most \(settings.resolution), which the autoencoder is trained on and which is"
          + " too small for tiles")
    }
  }

  /// Encodes images of one size as Gaussians, in tiles where the images are larger than those of
  /// the training.
  ///
  /// - Returns: mean and log variance, [B, H / f, W / f, C] each.
  package func encode(
    _ images: [RGBImage], on context: ComputeContext
  ) -> (mean: [Float], logVariance: [Float]) {
    let pixels = images.flatMap(\.normalized)
    let x = Tensor(pixels, [images.count, images[0].height, images[0].width, 3], on: context)
    if images[0].width > vae.settings.resolution {
      let (mean, logVariance) = vae.encodeInTiles(x, tile: tile)
      return (mean.floats, logVariance.floats)
    }
    let (mean, logVariance) = vae.encode(Variable(x))
    return (mean.value.floats, logVariance.value.floats)
  }

  /// Decodes latents [B, h, w, C], a few images at a time, so that memory does not grow with B.
  ///
  /// - Parameter notFinite: told the index of each image with values that are not finite.
  package func images(
    _ z: Tensor, notFinite: (Int) throws -> Void
  ) rethrows -> [RGBImage] {
    let side = z.shape[2] * vae.settings.factor
    let step = max(1, 256 * 256 / (side * side))
    return try vae.parameters.withPackedWeights {
      try stride(from: 0, to: z.shape[0], by: step).flatMap { start in
        let part = z[start..<min(start + step, z.shape[0])]
        let decoded =
          side > vae.settings.resolution
          ? vae.decodeInTiles(part, tile: tile) : vae.decode(Variable(part)).value
        return try RGBImage.images(decoded) { try notFinite(start + $0) }
      }
    }
  }
}
