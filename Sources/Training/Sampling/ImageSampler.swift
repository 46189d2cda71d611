import DiffiTModels
import Diffusion
import TensorCore

/// Draws images from seeds. An image is a function of its seed, its label and the weights alone.
struct ImageSampler {
  let model: ImageDiffiT
  let edm: EDM
  let sampler: any Diffusion.Sampler
  let levels: NoiseLevels
  let engine: Engine
  var guidance = Guidance()
  /// The class to draw; nil: each image's own, where the network knows classes.
  var label: Int?
  /// Images denoised at once: bounds the memory.
  var batch = 16

  /// [B, H, W, 3] in about [-1, 1], one a seed.
  func images(seeds: [UInt64]) -> [Float] {
    var values: [Float] = []
    draw(seeds: seeds) { values += $1 }
    return values
  }

  /// Draws batch by batch and gives each to `take`: seeds, and pixels as `images` has them.
  func draw(
    seeds: [UInt64], take: (_ seeds: [UInt64], _ pixels: [Float]) throws -> Void
  ) rethrows {
    try model.parameters.holdingWeights {
      for start in stride(from: 0, to: seeds.count, by: batch) {
        let part = Array(seeds[start..<min(start + batch, seeds.count)])
        try take(part, draw(part).floats)
      }
    }
  }

  /// - Parameter observe: told of each step, after its first network call.
  func draw(_ seeds: [UInt64], observe: ((SamplerStep) -> Void)? = nil) -> Tensor {
    let denoiser = NetworkDenoiser(
      model: model, edm: edm, labels: labels(of: seeds), guidance: guidance)
    let shape = model.settings.imageShape(batch: 1).dimensions.dropFirst()
    return sampler.sample(
      seeds: seeds, over: levels, image: Shape(Array(shape)), with: denoiser, on: engine,
      observe: observe)
  }

  /// The classes that images of these seeds get; nil: an unconditional network.
  func labels(of seeds: [UInt64]) -> [Int]? {
    let classes = model.settings.classes
    guard classes > 0 else { return nil }
    return seeds.map { seed in
      label ?? RandomStream(seed: 0, .samplerLabel, position: seed).index(below: classes, 0)
    }
  }
}
