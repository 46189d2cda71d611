import Autodiff
import Collectives
import DiffiTModels
import Diffusion
import TensorCore

/// The network behind EDM's preconditioning, with labels and guidance bound: what a sampler needs.
package struct NetworkDenoiser: Denoiser {
  let model: ImageDiffiT
  let edm: EDM
  /// One an image; nil: an unconditional network.
  let labels: [Int]?
  let guidance: Guidance

  package init(model: ImageDiffiT, edm: EDM, labels: [Int]?, guidance: Guidance = Guidance()) {
    (self.model, self.edm, self.labels, self.guidance) = (model, edm, labels, guidance)
  }

  package func denoise(_ x: Tensor, sigma: Double) -> Tensor {
    let conditional = denoise(x, sigma, labels: labels)
    guard guidance.applies(at: sigma), let labels else { return conditional }
    let unconditional = denoise(x, sigma, labels: labels.map { _ in nil })
    let images = x.shape[0]
    let part = scale(
      Variable(unconditional), by: [Float](repeating: Float(1 - guidance.scale), count: images))
    return scale(
      Variable(conditional), by: [Float](repeating: Float(guidance.scale), count: images),
      plus: part.value
    ).value
  }

  private func denoise(_ x: Tensor, _ sigma: Double, labels: [Int?]?) -> Tensor {
    edm.denoise(x, sigma: [Double](repeating: sigma, count: x.shape[0])) { x, cNoise in
      model(x, cNoise: cNoise, labels: labels)
    }.value
  }
}

/// Draws images from seeds. An image is a function of its seed, its label and the weights alone.
struct ImageSampler {
  let model: ImageDiffiT
  let edm: EDM
  let sampler: any Sampler
  let levels: NoiseLevels
  let engine: Engine
  var guidance = Guidance()
  /// Images denoised at once: bounds the memory.
  var batch = 16

  /// [B, H, W, 3] in about [-1, 1], one a seed.
  func images(seeds: [UInt64]) -> [Float] {
    var values: [Float] = []
    draw(seeds: seeds) { values += $1 }
    return values
  }

  /// Draws batch by batch and gives each to `take`: seeds, and pixels as `images` has them.
  ///
  /// - Parameter label: for all images; nil: each image's own, where the network knows classes.
  func draw(
    seeds: [UInt64], label: Int? = nil, take: (_ seeds: [UInt64], _ pixels: [Float]) throws -> Void
  ) rethrows {
    try model.parameters.holdingWeights { try drawBatches(seeds: seeds, label: label, take: take) }
  }

  private func drawBatches(
    seeds: [UInt64], label: Int?, take: (_ seeds: [UInt64], _ pixels: [Float]) throws -> Void
  ) rethrows {
    for start in stride(from: 0, to: seeds.count, by: batch) {
      let part = Array(seeds[start..<min(start + batch, seeds.count)])
      let labels = model.settings.classes > 0 ? part.map { label ?? self.label(seed: $0) } : nil
      let denoiser = NetworkDenoiser(model: model, edm: edm, labels: labels, guidance: guidance)
      let shape = model.settings.imageShape(batch: 1).dimensions.dropFirst()
      let drawn = sampler.sample(
        seeds: part, over: levels, image: Shape(Array(shape)), with: denoiser, on: engine)
      try take(part, drawn.floats)
    }
  }

  /// The class that an image's seed draws.
  func label(seed: UInt64) -> Int {
    RandomStream(seed: 0, .samplerLabel, position: seed).index(below: model.settings.classes, 0)
  }
}

extension SampleOptions.Sampler {
  /// The sampler of that name, with its defaults.
  package func makeSampler() -> any Sampler {
    switch self {
    case .heun: HeunSampler()
    case .euler: HeunSampler(corrects: false)
    case .ddpm: AncestralSampler()
    case .ddim: DDIMSampler()
    case .dpmPlusPlus: DPMSolverPlusPlus()
    }
  }
}

extension Communicator {
  /// This rank's contiguous part of `count` pieces of work.
  func share(of count: Int) -> Range<Int> {
    count * rank / size..<count * (rank + 1) / size
  }

  /// The pieces of all ranks, in the order of ranks, on every rank.
  func gather(_ values: [Float]) throws -> [Float] {
    try gather(values.withUnsafeBytes { Array($0) }).flatMap { bytes in
      bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    }
  }
}
