import ModelLoading
import RunData
import TensorCore

extension LoadedModel {
  /// - Parameter showsPictures: whether anybody looks at pictures; a latent network then needs an autoencoder.
  package func sampler(
    _ drawing: SamplingOptions, showsPictures: Bool = true, on context: ComputeContext
  ) throws -> ImageSampler {
    let classes = configuration.model.classes
    if let label = drawing.label, label >= classes {
      throw SamplingError.labelOutOfRange(label: label, classes: classes)
    }
    let settled = try SamplingParameters(drawing, of: configuration)
    if drawing.guidance ?? 1 != 1, classes == 0 {
      throw SamplingError.nothingToGuide(checkpoint: reader.url.path)
    }
    let decoder = try decoder(drawing.vae, isNeeded: showsPictures, on: context)
    return ImageSampler(
      try model(on: context), settled, batch: drawing.batch, decoder: decoder, on: context)
  }

  /// What tells images drawn like this from others.
  package func record(_ drawing: SamplingOptions) throws -> SampleRecord {
    SampleRecord(
      checkpoint: reader.url.lastPathComponent, checkpointDigest: reader.digest,
      imagesSeen: reader.manifest.imagesSeen, weights: vector,
      precision: configuration.train.precision.rawValue,
      drawing: try SamplingParameters(drawing, of: configuration), latents: latents)
  }

  /// Nil where the network draws pixels.
  package var latents: LatentMetadata? { LatentMetadata(manifest: reader.manifest.configuration) }

  /// The autoencoder that makes pictures of what the network draws; nil where it draws pixels.
  ///
  /// - Parameters:
  ///   - path: instead of `data.vae` of the run.
  ///   - isNeeded: whether pictures are to be made.
  /// - Throws: `LatentsError.noAutoencoder` where one is needed and none is named.
  package func decoder(_ path: String?, isNeeded: Bool, on context: ComputeContext) throws
    -> LatentDecoder?
  {
    guard let latents else {
      if let path { throw LatentsError.needlessAutoencoder(path: path) }
      return nil
    }
    guard isNeeded else { return nil }
    let chosen = path ?? configuration.data.vae
    guard !chosen.isEmpty else { throw LatentsError.noAutoencoder(what: reader.url.path) }
    return try LatentDecoder(
      chosen, for: latents, channels: configuration.model.latentChannels,
      setting: path == nil ? "data.vae" : "--vae", on: context)
  }
}
