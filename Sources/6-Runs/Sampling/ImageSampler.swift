import Configuration
import Diffusion
import FileFormats
import Images
import ModelLoading
import Operators
import RunData
import TensorCore

/// Samples images from seeds. An image depends only on its seed, its label, the weights and the
/// sampler's parameters: neither on its batch nor on the rank that samples it.
package struct ImageSampler {
  /// Images sampled at once where nothing else is said.
  package static let standardBatch = 16

  /// The network with its weights, and its formulation.
  package let model: DenoisingModel
  /// The algorithm that solves the reverse process.
  package let sampler: any Diffusion.Sampler
  /// The noise levels of the sampler's steps, descending.
  package let levels: NoiseLevels
  /// Threads, memory and kernels that are used.
  package let context: ComputeContext
  /// Classifier-free guidance.
  package let guidance: Guidance
  /// A weaker network that guides; nil: none.
  package let guide: Guide?
  /// The class of all images; nil: a class from each image's seed, where the network knows classes.
  package let label: Int?
  /// Images sampled at once; bounds the memory.
  package let batch: Int
  /// Turns latents into images; nil where the network works on pixels, or where nobody looks at
  /// images.
  package let decoder: LatentDecoder?
  /// The weights and where they are from, for errors.
  package let origin: String
  /// Where images that are not finite are noted; nil: they are errors.
  package let faults: SampleFaults?

  /// Samples with a network that is in memory already.
  package init(
    _ model: DenoisingModel, _ parameters: SamplingParameters, batch: Int = standardBatch,
    decoder: LatentDecoder? = nil, guide: Guide? = nil, origin: String = "the present weights",
    faults: SampleFaults? = nil, on context: ComputeContext
  ) {
    (self.origin, self.faults) = (origin, faults)
    (self.model, self.context, self.batch, self.decoder) = (model, context, batch, decoder)
    self.guide = guide
    sampler = parameters.method
    levels = model.formulation.levels(steps: parameters.steps)
    (guidance, label) = (parameters.guidance, parameters.label)
  }

  /// Reads the weights of a checkpoint, and the autoencoder of a latent network.
  ///
  /// - Parameter showsImages: whether anybody looks at images; a latent network then needs an
  ///   autoencoder.
  /// - Throws: `SamplingError` and `OptionError` for options that do not go together with the run.
  package init(
    _ loaded: LoadedModel, _ options: SamplingOptions, showsImages: Bool = true,
    on context: ComputeContext
  ) throws {
    let classes = loaded.configuration.model.classes
    if let label = options.label, label >= classes {
      throw SamplingError.labelOutOfRange(label: label, classes: classes)
    }
    let parameters = try SamplingParameters(options, of: loaded.configuration)
    if options.guidance ?? 1 != 1, classes == 0 {
      throw SamplingError.nothingToGuide(checkpoint: loaded.path)
    }
    let decoder = try loaded.decoder(options.vae, isNeeded: showsImages, on: context)
    self.init(
      try loaded.model(on: context), parameters, batch: options.batch, decoder: decoder,
      guide: try Guide(options, of: loaded, on: context), origin: loaded.origin, on: context)
  }

  /// Samples batch by batch and hands each image over, quantised as EDM does.
  ///
  /// - Throws: `SamplingError.notFinite`, and what `take` throws.
  package func sample(
    seeds: [UInt64], take: (_ seed: UInt64, _ image: RGBImage) throws -> Void
  ) throws {
    try sampleBatches(seeds: seeds) { seeds, images in
      for (seed, image) in zip(seeds, images) { try take(seed, image) }
    }
  }

  /// Samples batch by batch and hands each batch over, quantised as EDM does.
  ///
  /// - Throws: `SamplingError.notFinite`, and what `take` throws.
  package func sampleBatches(
    seeds: [UInt64], take: (_ seeds: [UInt64], _ images: [RGBImage]) throws -> Void
  ) throws {
    try withPackedWeights {
      for start in stride(from: 0, to: seeds.count, by: batch) {
        let part = Array(seeds[start..<min(start + batch, seeds.count)])
        let images = try images(sample(part)) { index in
          let error = SamplingError.notFinite(seed: part[index], origin: origin)
          guard let faults else { throw error }
          faults.note(error)
        }
        try take(part, images)
      }
    }
  }

  /// Runs `body`, during which networks keep the packed forms of their weights.
  private func withPackedWeights(_ body: () throws -> Void) rethrows {
    try model.parameters.withPackedWeights {
      if let guide { try guide.model.parameters.withPackedWeights(body) } else { try body() }
    }
  }

  /// Samples one batch in the network's space, without decoding.
  ///
  /// - Parameter observe: told of each step of the sampler, after its first network call.
  /// - Returns: [B, H, W, C], one image per seed.
  package func sample(_ seeds: [UInt64], observe: ((SamplerStep) -> Void)? = nil) -> Tensor {
    let denoiser = NetworkDenoiser(
      model, labels: labels(of: seeds), guidance: guidance, guide: guide)
    let shape = model.imageShape(batch: 1).dimensions.dropFirst()
    return sampler.sample(
      seeds: seeds, over: levels, image: Shape(Array(shape)), with: denoiser, on: context,
      observe: observe)
  }

  /// Images of a state of the sampler.
  ///
  /// - Parameters:
  ///   - state: [B, H, W, C], pixels in about [-1, 1] or latents.
  ///   - notFinite: told the index of each image with values that are not finite.
  package func images(
    _ state: Tensor, notFinite: (Int) throws -> Void
  ) rethrows -> [RGBImage] {
    if let decoder { return try decoder.images(state, notFinite: notFinite) }
    return try RGBImage.images(state, notFinite: notFinite)
  }

  /// The classes of the images of these seeds; nil: an unconditional network.
  package func labels(of seeds: [UInt64]) -> [Int]? { model.labels(of: seeds, all: label) }
}

extension LoadedModel {
  /// The autoencoder that turns what the network samples into images; nil where the network works
  /// on pixels.
  ///
  /// - Parameters:
  ///   - path: used instead of the run's `data.vae`.
  ///   - isNeeded: whether images are to be made.
  /// - Throws: `LatentsError.noAutoencoder` where one is needed and none is named;
  ///   `LatentsError.needlessAutoencoder` for a path where the network works on pixels.
  fileprivate func decoder(_ path: String?, isNeeded: Bool, on context: ComputeContext) throws
    -> LatentDecoder?
  {
    guard configuration.model.kind == .latent else {
      if let path { throw LatentsError.needlessAutoencoder(path: path) }
      return nil
    }
    guard isNeeded else { return nil }
    let chosen = path ?? configuration.data.vae
    guard !chosen.isEmpty else { throw LatentsError.noAutoencoder(what: self.path) }
    let channels = configuration.model.latentChannels
    guard let latents else {
      guard case .file = source else {
        throw ModelError.latentsUnknown(checkpoint: self.path)
      }
      // Weights of another program do not tell which autoencoder made their latents.
      return try LatentDecoder(
        chosen, scale: configuration.data.latentScale ?? 0, channels: channels, on: context)
    }
    return try LatentDecoder(
      chosen, for: latents, channels: channels, setting: path == nil ? "data.vae" : "--vae",
      on: context)
  }
}

extension DenoisingModel {
  /// The classes of the images of these seeds; nil: an unconditional network.
  ///
  /// - Parameter all: the class of all images; nil: each seed's own.
  package func labels(of seeds: [UInt64], all label: Int? = nil) -> [Int]? {
    guard classes > 0 else { return nil }
    return seeds.map { seed in
      label ?? RandomStream(seed: 0, .samplerLabel, position: seed).index(below: classes, 0)
    }
  }
}

/// A network in its formulation with labels and guidance: the denoiser that a sampler calls.
package struct NetworkDenoiser: VarianceDenoiser {
  /// The network and its formulation.
  package let model: DenoisingModel
  /// One class per image; nil: an unconditional network.
  package let labels: [Int]?
  /// Classifier-free guidance, and the interval of noise levels of any guidance.
  package let guidance: Guidance
  /// A weaker network that guides; nil: none.
  package let guide: Guide?

  /// Joins them.
  package init(
    _ model: DenoisingModel, labels: [Int]?, guidance: Guidance = Guidance(), guide: Guide? = nil
  ) {
    (self.model, self.labels, self.guidance, self.guide) = (model, labels, guidance, guide)
  }

  /// Predicts the clean images of noisy images [B, H, W, C] at one noise level, and DDPM's learned
  /// variance.
  package func denoiseWithVariance(
    _ x: Tensor, sigma: Double
  ) -> (clean: Tensor, v: Tensor?) {
    let conditional = prediction(of: model, x, sigma, labels: labels)
    let byClass = guidedByClass(conditional.clean, x, sigma)
    let byGuide = guidedByGuide(conditional.clean, x, sigma)
    guard let byClass, let byGuide else {
      return (byClass ?? byGuide ?? conditional.clean, conditional.variance)
    }
    // What both add to the conditional prediction.
    let clean = sum(
      byClass,
      scaled(conditional.clean, by: [Float](repeating: -1, count: x.shape[0]), plus: byGuide))
    return (clean, conditional.variance)
  }

  /// The prediction moved away from that without labels; nil where that does not apply.
  private func guidedByClass(_ conditional: Tensor, _ x: Tensor, _ sigma: Double) -> Tensor? {
    guard let labels, guidance.applies(at: sigma) else { return nil }
    let unconditional = prediction(of: model, x, sigma, labels: labels.map { _ in nil })
    return guidance.combine(
      conditional: conditional, unconditional: unconditional.clean, weight: weight(sigma))
  }

  /// The prediction moved away from that of the guide; nil where that does not apply.
  private func guidedByGuide(_ conditional: Tensor, _ x: Tensor, _ sigma: Double) -> Tensor? {
    guard let guide, guidance.interval.contains(sigma) else { return nil }
    let weak = prediction(of: guide.model, x, sigma, labels: labels)
    return guidance.combine(
      conditional: conditional, unconditional: weak.clean, weight: guide.weight)
  }

  private func weight(_ sigma: Double) -> Double {
    guard let (time, steps) = model.formulation.timesteps(at: sigma) else {
      return guidance.scale  // a schedule needs timesteps, which the options' checks make sure of
    }
    return guidance.weight(timestep: time, of: steps)
  }

  private func prediction(
    of model: DenoisingModel, _ x: Tensor, _ sigma: Double, labels: [Int?]?
  ) -> Prediction {
    model.formulation.prediction(x, sigma: [Double](repeating: sigma, count: x.shape[0])) {
      model.network($0, time: $1, labels: labels, augment: nil)
    }
  }
}
