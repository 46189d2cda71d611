import Autodiff
import Collectives
import Datasets
import DiffiTModels
import Diffusion
import TensorCore

/// Trains a network to tell noise from image.
final class DenoisingObjective: Objective {
  let model: DenoisingModel
  /// Makes pictures of latents, where the run has an autoencoder.
  var decoder: LatentDecoder?
  /// Nil: the formulation draws how noisy an image is.
  private var timesteps: ImportanceTimesteps?
  /// Timestep and loss of this rank's images of the step.
  private var noted: [Double] = []
  private let configuration: Configuration
  private var batch: Int { configuration.train.batch }
  private var seed: UInt64 { UInt64(configuration.train.seed) }

  init(_ configuration: Configuration) {
    model = DenoisingModel(configuration, recomputes: configuration.train.recompute)
    if configuration.diffusion.importanceSteps > 0 {
      timesteps = ImportanceTimesteps(steps: configuration.diffusion.importanceSteps)
    }
    self.configuration = configuration
  }

  var sets: [DeclaredSet] { [DeclaredSet(prefix: "", parameters: model.parameters)] }
  func imageShape(batch: Int) -> Shape { model.imageShape(batch: batch) }
  var classes: Int { model.network.settings.classes }
  var augmentLabels: Int { model.network.settings.augmentLabels }
  var lossScale: Double { model.formulation.lossScale(elements: imageShape(batch: 1).count) }
  var columns: LossColumns { .noiseLevels }

  var showsPictures: Bool { decoder != nil || configuration.model.kind != .latent }
  var pictureSide: Int {
    imageShape(batch: 1)[1] * (decoder?.autoencoder.vae.settings.factor ?? 1)
  }

  func pictures(
    _ range: Range<Int>, _ settings: SampleSettings, of dataset: (any ImageDataset)?,
    on engine: Engine
  ) -> [RGBImage] {
    var images: [RGBImage] = []
    sampler(settings, on: engine).draw(seeds: range.map { UInt64(settings.seed + $0) }) {
      images.append($1)
    }
    return images
  }

  /// The sampler of grids and of metrics, over the network's present weights.
  func sampler(_ settings: SampleSettings, on engine: Engine) -> ImageSampler {
    ImageSampler(model, Drawing(settings, configuration), decoder: decoder, on: engine)
  }

  /// Images -> noise -> network -> loss -> gradients.
  func differentiate(_ part: BatchPart, of shard: Int, for trainer: Trainer) {
    let draws = part.positions.map(draw)
    let noise = trainingNoise(seed: seed, positions: part.positions, like: part.images)
    let tape = Tape(dropout: DropoutSource(seed: seed, positions: part.positions))
    let (share, losses) = trainer.forward {
      model.formulation.loss(
        part.images, draws: draws, noise: noise, batch: batch, on: tape
      ) { model.network($0, time: $1, labels: part.labels, augment: part.augment) }
    }
    trainer.backward(tape, from: share, sending: part.isLast)
    trainer.statistics.note(losses, sigma: draws.map(\.sigma), shard: shard)
    if timesteps != nil { noted += zip(draws, losses).flatMap { [$0.time, $1] } }
  }

  private func draw(_ position: UInt64) -> NoiseDraw {
    guard let timesteps, let ddpm = model.formulation as? DDPM else {
      return model.formulation.draw(seed: seed, position: position)
    }
    return ddpm.draw(timesteps.draw(seed: seed, position: position))
  }

  /// Remembers the losses of all ranks, in the order of positions.
  func endStep(over communicator: any Communicator) throws {
    guard timesteps != nil else { return }
    let all = try communicator.gather(values: noted)
    noted = []
    let places = stride(from: 0, to: all.count, by: 2)
    timesteps?.record(timesteps: places.map { Int(all[$0]) }, losses: places.map { all[$0 + 1] })
  }

  var state: [String: [Float]] {
    get { timesteps.map { ["timesteps": $0.state] } ?? [:] }
    set {
      guard let steps = timesteps?.steps, let saved = newValue["timesteps"] else { return }
      timesteps = ImportanceTimesteps(steps: steps, restoring: saved) ?? timesteps
    }
  }
}
