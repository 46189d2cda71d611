import Diffusion
import FileFormats
import ModelLoading
import RunData
import TensorCore

/// Draws images from seeds. An image is a function of its seed, its label and the weights alone.
package struct ImageSampler {
  /// Images denoised at once where nobody says another number.
  package static let standardBatch = 16

  package let model: DenoisingModel
  package let sampler: any Diffusion.Sampler
  package let levels: NoiseLevels
  package let context: ComputeContext
  package let guidance: Guidance
  /// The class to draw; nil: each image's own, where the network knows classes.
  package let label: Int?
  /// Images denoised at once: bounds the memory.
  package let batch: Int
  /// Makes pictures of latents; nil where the network draws pixels, or nobody looks at pictures.
  package let decoder: LatentDecoder?

  package init(
    _ model: DenoisingModel, _ drawing: SamplingParameters, batch: Int = standardBatch,
    decoder: LatentDecoder? = nil, on context: ComputeContext
  ) {
    (self.model, self.context, self.batch, self.decoder) = (model, context, batch, decoder)
    sampler = drawing.method
    levels = model.formulation.levels(steps: drawing.steps)
    (guidance, label) = (drawing.guidance, drawing.label)
  }

  /// Draws batch by batch and gives each image to `take`, as EDM quantises.
  package func draw(seeds: [UInt64], take: (_ seed: UInt64, _ image: RGBImage) throws -> Void)
    rethrows
  {
    try drawBatches(seeds: seeds) { seeds, images in
      for (seed, image) in zip(seeds, images) { try take(seed, image) }
    }
  }

  /// Draws batch by batch and gives each to `take`.
  package func drawBatches(
    seeds: [UInt64], take: (_ seeds: [UInt64], _ images: [RGBImage]) throws -> Void
  ) rethrows {
    try model.parameters.withPackedWeights {
      for start in stride(from: 0, to: seeds.count, by: batch) {
        let part = Array(seeds[start..<min(start + batch, seeds.count)])
        try take(part, images(draw(part)))
      }
    }
  }

  /// What a state of the sampler, [B, H, W, C] in about [-1, 1] or as latents, looks like.
  package func images(_ state: Tensor) -> [RGBImage] {
    decoder?.images(state) ?? RGBImage.images(state)
  }

  /// [B, H, W, C] in the network's space, one a seed.
  ///
  /// - Parameter observe: told of each step, after its first network call.
  package func draw(_ seeds: [UInt64], observe: ((SamplerStep) -> Void)? = nil) -> Tensor {
    let denoiser = NetworkDenoiser(model, labels: labels(of: seeds), guidance: guidance)
    let shape = model.imageShape(batch: 1).dimensions.dropFirst()
    return sampler.sample(
      seeds: seeds, over: levels, image: Shape(Array(shape)), with: denoiser, on: context,
      observe: observe)
  }

  /// The classes that images of these seeds get; nil: an unconditional network.
  package func labels(of seeds: [UInt64]) -> [Int]? { model.labels(of: seeds, all: label) }
}

extension DenoisingModel {
  /// - Parameter all: the class of all; nil: each seed's own.
  package func labels(of seeds: [UInt64], all label: Int? = nil) -> [Int]? {
    guard classes > 0 else { return nil }
    return seeds.map { seed in
      label ?? RandomStream(seed: 0, .samplerLabel, position: seed).index(below: classes, 0)
    }
  }
}
