import Autodiff
import Checkpoints
import Configuration
import DiffiTModels
import FileFormats
import Foundation
import ModelLoading
import TensorCore

/// An autoencoder with its weights, from wherever it was kept.
package struct Autoencoder {
  package let path: String
  package let vae: VAE
  /// Of the weights: `DiffusersVAE.digest`.
  package let digest: String
  /// What its maker multiplies latents by.
  package let scalingFactor: Double

  /// What the autoencoder has to be, where that is known.
  package struct Needs: Sendable {
    package var factor: Int?
    package var latentChannels: Int?

    package init(factor: Int? = nil, latentChannels: Int? = nil) {
      (self.factor, self.latentChannels) = (factor, latentChannels)
    }
  }

  /// Reads an autoencoder: a folder in diffusers' layout, or a run or checkpoint of `model.kind: vae`.
  ///
  /// - Parameter ema: of a checkpoint: the average to use; nil: its first; `raw`: the weights themselves.
  package static func open(
    _ path: String, _ needs: Needs = Needs(), ema: String? = nil,
    precision: TrainSettings.Precision = .fp32, on context: ComputeContext
  ) throws -> Autoencoder {
    if CheckpointReader.isCheckpointOrRun(path) {
      return try open(checkpoint: path, needs, ema: ema, precision: precision, on: context)
    }
    let folder = URL(fileURLWithPath: path)
    let description = try DiffusersVAE.describe(
      folder, factor: needs.factor, latentChannels: needs.latentChannels)
    let vae = VAE(description.settings, precision: precision.dtype)
    vae.parameters.allocate(on: context, gradients: false)
    try DiffusersVAE.read(folder, into: vae)
    return try Autoencoder(path, vae, scalingFactor: description.scalingFactor)
  }

  private init(_ path: String, _ vae: VAE, scalingFactor: Double) throws {
    guard vae.settings.imageChannels == 3 else {
      throw LatentsError.notAnAutoencoder(
        path: path, found: "one of pictures with \(vae.settings.imageChannels) channels")
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
      path, try loaded.autoencoder(precision: precision, on: context), scalingFactor: 0.18215)
  }
}

extension Autoencoder {
  /// Pixels a side of a tile; nil where the pictures that it was trained on are too small for tiles.
  private var tile: Int? {
    let (side, unit) = (vae.settings.resolution, 4 * vae.settings.factor)
    return side >= unit ? side / unit * unit : nil
  }

  /// - Throws: `LatentsError.resolution`, where pictures of that side cannot be encoded.
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

  /// Gaussians of pictures of one size, in tiles where they are larger than those of the training.
  ///
  /// Shapes: [B, H / f, W / f, C] each.
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

  /// Pictures of latents [B, h, w, C], some at a time, so that memory does not grow with B.
  package func images(_ z: Tensor) -> [RGBImage] {
    let side = z.shape[2] * vae.settings.factor
    let step = max(1, 256 * 256 / (side * side))
    return vae.parameters.withPackedWeights {
      stride(from: 0, to: z.shape[0], by: step).flatMap { start in
        let part = z[start..<min(start + step, z.shape[0])]
        return RGBImage.images(
          side > vae.settings.resolution
            ? vae.decodeInTiles(part, tile: tile) : vae.decode(Variable(part)).value)
      }
    }
  }
}
