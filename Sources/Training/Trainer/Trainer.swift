import Autodiff
import Collectives
import Datasets
import DiffiTModels
import Diffusion
import Optimization
import TensorCore

/// One rank's share of a training run: replicas of the networks with their optimisers and averages.
///
/// All ranks hold the same weights; each works on its part of every global batch, and gradients are
/// added up over the ranks. For given ranks, instruction set and micro-batch, the state after a step
/// is a function of the settings and of the images seen. `Trainer+Step.swift` is the data path.
package final class Trainer {
  let configuration: Configuration
  let communicator: any Communicator
  package let engine: Engine
  let objective: any Objective
  /// A replica a set of parameters of the objective.
  let replicas: [Replica]
  let learningRate: LearningRate
  /// Images of all ranks since the run began: the run's clock.
  var imagesSeen = 0
  /// Updates left out because something was not finite.
  var skippedUpdates = 0
  package internal(set) var statistics: StepStatistics
  let clock: PhaseClock
  /// For tests.
  var fault: FaultPoint?
  /// Gives this rank's part of the next global batch.
  let source: () throws -> Batch

  var seed: UInt64 { UInt64(configuration.train.seed) }
  /// The replica of the model itself.
  var model: Replica { replicas[0] }
  package var parameters: ParameterSet { model.parameters }

  /// - Parameters:
  ///   - configuration: with `threads` and `micro_batch` chosen.
  ///   - objective: nil: that of the configuration, without a perceptual term.
  init(
    _ configuration: Configuration, over communicator: any Communicator, on engine: Engine,
    objective given: (any Objective)?, source: @escaping () throws -> Batch
  ) {
    invariant(configuration.train.microBatch > 0, "Trainer: micro_batch is not chosen yet")
    self.configuration = configuration
    self.communicator = communicator
    clock = PhaseClock(communicator.activity)
    self.engine = engine
    self.source = source
    let objective = given ?? configuration.objective()
    self.objective = objective
    replicas = objective.sets.enumerated().map { index, set in
      Replica(
        set, configuration, lossScale: objective.lossScale, hasAverages: index == 0,
        over: communicator, on: engine)
    }
    statistics = StepStatistics(
      shards: replicas[0].reducer.method.localShards, columns: objective.columns)
    learningRate = LearningRate(
      peak: configuration.optimizer.lr, warmup: configuration.optimizer.warmup)
  }
}

extension Trainer {
  package convenience init(
    _ configuration: Configuration, over communicator: any Communicator, on engine: Engine,
    source: @escaping () throws -> Batch
  ) {
    self.init(configuration, over: communicator, on: engine, objective: nil, source: source)
  }
}

extension Configuration {
  /// What the configuration's run minimises, declared; it takes no memory yet.
  ///
  /// - Parameter perceptual: of an autoencoder, its weights read.
  func objective(perceptual: PerceptualDistance? = nil) -> any Objective {
    model.kind == .vae
      ? AutoencodingObjective(self, perceptual: perceptual) : DenoisingObjective(self)
  }

  /// The denoising network that the configuration describes.
  var networkSettings: any NetworkSettings {
    model.kind == .latent ? latentSettings : imageSettings
  }

  /// What an image costs the networks that are trained.
  var networkCost: NetworkCost {
    let precision = train.precision.dtype
    return model.kind == .vae
      ? vaeSettings.cost(precision: precision, recomputes: train.recompute)
      : networkSettings.cost(precision: precision, recomputes: train.recompute)
  }

  /// Channels of the parts of the network, from the first.
  var networkWidths: [Int] {
    model.kind == .vae ? model.channels : networkSettings.widths
  }

  /// The autoencoder that the configuration describes.
  var vaeSettings: VAE.Settings {
    var settings = VAE.Settings()
    settings.resolution = model.resolution
    settings.channels = model.channels
    settings.blocks = model.layers
    settings.groups = VAE.Settings.largestGroups(channels: model.channels)
    settings.latentChannels = model.latentChannels
    return settings
  }

  private var latentSettings: LatentDiffiT.Settings {
    var settings = LatentDiffiT.Settings()
    settings.side = model.resolution
    settings.channels = model.latentChannels
    settings.patch = model.patch
    settings.width = model.width
    settings.depth = model.depth
    settings.heads = model.heads
    settings.classes = model.classes
    settings.dropout = model.dropout
    settings.learnsVariance = diffusion.learnsVariance
    return settings
  }

  private var imageSettings: ImageDiffiT.Settings {
    var settings = ImageDiffiT.Settings()
    settings.resolution = model.resolution
    settings.channels = model.channels
    settings.blocks = model.blocks
    settings.window = model.window
    settings.headWidth = model.headDim
    settings.timeWidth = model.timeDim
    settings.embeddingWidth = model.embedDim
    settings.classes = model.classes
    settings.augmentLabels = data.augment > 0 ? Augmentation.labelCount : 0
    settings.dropout = model.dropout
    settings.learnsVariance = diffusion.learnsVariance
    return settings
  }

  /// How gradients are added up over `ranks` ranks.
  func reductionMethod(ranks: Int) -> ReductionMethod {
    var method = ReductionMethod()
    method.order = parallel.reduction == .reproducible ? .tree : .fast
    method.wire = parallel.wire == .bf16 ? .bfloat16 : .float32
    method.localShards = parallel.reduction == .reproducible ? parallel.shards / ranks : 1
    method.keepsPieces = parallel.shardOptimizer && ranks > 1
    method.progress =
      switch parallel.progress {
      case .calls: .calls
      case .thread: .thread
      case .none: .none
      }
    return method
  }

  /// Images of each global batch that `rank` of `size` works on.
  func share(rank: Int, of size: Int) -> Range<Int> {
    train.batch * rank / size..<train.batch * (rank + 1) / size
  }
}
