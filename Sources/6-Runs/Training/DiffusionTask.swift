import Autodiff
import Collectives
import Configuration
import Datasets
import DiffiTModels
import Diffusion
import Evaluation
import FileFormats
import Images
import ModelLoading
import RunData
import Sampling
import TensorCore

/// Trains a network to remove noise from images.
package final class DiffusionTask: TrainingTask {
  /// The network and its formulation.
  package let model: DenoisingModel
  /// Turns latents into images, where the run has an autoencoder.
  private let decoder: LatentDecoder?
  /// Nil: the formulation draws the noise level of each image.
  private var timesteps: ImportanceTimesteps?
  /// Timestep and loss of each of this rank's images of the step, in pairs.
  private var noted: [Double] = []
  private let configuration: Configuration
  private let faults = SampleFaults()
  private var batch: Int { configuration.train.batch }
  private var seed: UInt64 { UInt64(configuration.train.seed) }

  /// - Parameter decoder: turns latents into images for previews and metrics; nil where the network
  ///   draws pixels, or no autoencoder is named.
  package init(_ configuration: Configuration, decoder: LatentDecoder? = nil) {
    self.decoder = decoder
    model = DenoisingModel(configuration, recomputes: configuration.train.recompute)
    if configuration.diffusion.importanceSteps > 0 {
      timesteps = ImportanceTimesteps(steps: configuration.diffusion.importanceSteps)
    }
    self.configuration = configuration
  }

  /// The network, and what is trained beside it.
  package var sets: [DeclaredSet] { model.sets }
  /// [B, H, W, C] of images or latents.
  package func imageShape(batch: Int) -> Shape { model.imageShape(batch: batch) }
  /// Classes that the network knows; 0: it is unconditional.
  package var classes: Int { model.network.settings.classes }
  /// Augmentation labels per image; 0: none.
  package var augmentLabels: Int { model.network.settings.augmentLabels }
  /// Published loss / our loss, as the formulation says.
  package var lossScale: Double {
    model.formulation.lossScale(elements: imageShape(batch: 1).count)
  }
  /// Losses are broken down by noise level.
  package var columns: LossBreakdown { .noiseLevels }

  /// False for latents without an autoencoder.
  package var hasPreviews: Bool { decoder != nil || configuration.model.kind != .latent }
  /// Side of a sample in pixels.
  package var previewSide: Int {
    imageShape(batch: 1)[1] * (decoder?.autoencoder.vae.settings.factor ?? 1)
  }

  /// Samples of fixed seeds.
  package func previews(
    _ range: Range<Int>, _ settings: SampleSettings, of dataset: (any ImageDataset)?,
    on context: ComputeContext
  ) throws -> [RGBImage] {
    var images: [RGBImage] = []
    try sampler(settings, on: context).sample(seeds: range.map { UInt64(settings.seed + $0) }) {
      images.append($1)
    }
    return images
  }

  /// The first sample since the last call that was not finite.
  package func takePreviewFault() -> String? { faults.take().map { "\($0)" } }

  /// The sampler of grids and of metrics, over the network's present weights.
  package func sampler(_ settings: SampleSettings, on context: ComputeContext) -> ImageSampler {
    ImageSampler(
      model, SamplingParameters(settings, configuration), decoder: decoder, faults: faults,
      on: context)
  }

  /// Images -> noise -> network -> loss -> gradients.
  package func trainingStep(_ microBatch: MicroBatch, in step: StepContext) {
    let positions = microBatch.positions
    let draws = positions.map(draw)
    let uncertainty = model.uncertainty?.levels(of: draws.map(\.sigma))
    let noise = configuration.diffusion.noise(
      seed: seed, positions: positions, like: microBatch.images)
    let tape = Tape(dropout: DropoutSource(seed: seed, positions: positions))
    let (share, losses) = step.forward {
      model.formulation.loss(
        microBatch.images, draws: uncertainty?.weighted(draws) ?? draws, noise: noise,
        batch: batch, on: tape
      ) {
        model.network($0, time: $1, labels: microBatch.labels, augment: microBatch.augment)
      }
    }
    step.backward(tape, from: share, sending: microBatch.isLast)
    if let uncertainty {
      step.backward(
        uncertainty.tape, from: uncertainty.share(losses: losses, batch: batch), sending: false)
    }
    step.note(losses, sigma: draws.map(\.sigma))
    if timesteps != nil { noted += zip(draws, losses).flatMap { [$0.time, $1] } }
  }

  private func draw(_ position: UInt64) -> NoiseDraw {
    guard let timesteps, let ddpm = model.formulation as? DDPM else {
      return model.formulation.draw(seed: seed, position: position)
    }
    return ddpm.draw(timesteps.draw(seed: seed, position: position))
  }

  /// Records the losses of all ranks, in the order of positions, for importance sampling of
  /// timesteps.
  package func endStep(over communicator: any Communicator) throws {
    guard timesteps != nil else { return }
    let all = try communicator.gather(values: noted)
    noted = []
    let places = stride(from: 0, to: all.count, by: 2)
    timesteps?.record(timesteps: places.map { Int(all[$0]) }, losses: places.map { all[$0 + 1] })
  }

  /// Losses by timestep, where timesteps are sampled by importance.
  package var state: [String: [Float]] {
    get { timesteps.map { ["timesteps": $0.state] } ?? [:] }
    set {
      guard let steps = timesteps?.steps, let saved = newValue["timesteps"] else { return }
      timesteps = ImportanceTimesteps(steps: steps, restoring: saved) ?? timesteps
    }
  }
}
