import Autodiff
import Collectives
import Configuration
import Datasets
import DiffiTModels
import Diffusion
import Evaluation
import FileFormats
import ModelLoading
import RunData
import Sampling
import TensorCore

/// Trains a network to tell noise from image.
package final class DiffusionTask: TrainingTask {
  package let model: DenoisingModel
  /// Makes pictures of latents, where the run has an autoencoder.
  var decoder: LatentDecoder?
  /// Nil: the formulation draws how noisy an image is.
  private var timesteps: ImportanceTimesteps?
  /// Timestep and loss of this rank's images of the step.
  private var noted: [Double] = []
  private let configuration: Configuration
  private var batch: Int { configuration.train.batch }
  private var seed: UInt64 { UInt64(configuration.train.seed) }

  package init(_ configuration: Configuration) {
    model = DenoisingModel(configuration, recomputes: configuration.train.recompute)
    if configuration.diffusion.importanceSteps > 0 {
      timesteps = ImportanceTimesteps(steps: configuration.diffusion.importanceSteps)
    }
    self.configuration = configuration
  }

  package var sets: [DeclaredSet] { model.sets }
  package func imageShape(batch: Int) -> Shape { model.imageShape(batch: batch) }
  package var classes: Int { model.network.settings.classes }
  package var augmentLabels: Int { model.network.settings.augmentLabels }
  package var lossScale: Double {
    model.formulation.lossScale(elements: imageShape(batch: 1).count)
  }
  package var columns: LossBreakdown { .noiseLevels }

  package var showsPictures: Bool { decoder != nil || configuration.model.kind != .latent }
  package var pictureSide: Int {
    imageShape(batch: 1)[1] * (decoder?.autoencoder.vae.settings.factor ?? 1)
  }

  package func pictures(
    _ range: Range<Int>, _ settings: SampleSettings, of dataset: (any ImageDataset)?,
    on context: ComputeContext
  ) -> [RGBImage] {
    var images: [RGBImage] = []
    sampler(settings, on: context).sample(seeds: range.map { UInt64(settings.seed + $0) }) {
      images.append($1)
    }
    return images
  }

  /// The sampler of grids and of metrics, over the network's present weights.
  package func sampler(_ settings: SampleSettings, on context: ComputeContext) -> ImageSampler {
    ImageSampler(model, SamplingParameters(settings, configuration), decoder: decoder, on: context)
  }

  /// Images -> noise -> network -> loss -> gradients.
  package func trainingStep(_ part: MicroBatch, of shard: Int, for trainer: Trainer) {
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
  package func endStep(over communicator: any Communicator) throws {
    guard timesteps != nil else { return }
    let all = try communicator.gather(values: noted)
    noted = []
    let places = stride(from: 0, to: all.count, by: 2)
    timesteps?.record(timesteps: places.map { Int(all[$0]) }, losses: places.map { all[$0 + 1] })
  }

  package var state: [String: [Float]] {
    get { timesteps.map { ["timesteps": $0.state] } ?? [:] }
    set {
      guard let steps = timesteps?.steps, let saved = newValue["timesteps"] else { return }
      timesteps = ImportanceTimesteps(steps: steps, restoring: saved) ?? timesteps
    }
  }
}
