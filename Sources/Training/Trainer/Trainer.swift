import Autodiff
import Collectives
import Datasets
import DiffiTModels
import Diffusion
import Optimization
import TensorCore

/// One rank's share of a training run: a replica of the network, its optimiser and its averages.
///
/// All ranks hold the same weights; each works on its part of every global batch, and gradients are
/// added up over the ranks. For given ranks, instruction set and micro-batch, the state after a step
/// is a function of the settings and of the images seen. `Trainer+Step.swift` is the data path.
package final class Trainer {
  let configuration: Configuration
  let communicator: any Communicator
  package let engine: Engine
  package let model: ImageDiffiT
  let edm: EDM
  let reducer: GradientReducer
  /// Brings the ranks' pieces of a flat tensor together.
  let exchange: PieceExchange
  /// By parameter: what of the flat gradient is final with it, alignment gaps included.
  let finalRanges: [Range<Int>]
  let learningRate: LearningRate
  var adam: Adam
  var averages: [ExponentialAverage]
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
  package var parameters: ParameterSet { model.parameters }

  /// - Parameter configuration: with `threads` and `micro_batch` chosen.
  package init(
    _ configuration: Configuration, over communicator: any Communicator, on engine: Engine,
    source: @escaping () throws -> Batch
  ) {
    invariant(configuration.train.microBatch > 0, "Trainer: micro_batch is not chosen yet")
    self.configuration = configuration
    self.communicator = communicator
    clock = PhaseClock(communicator.activity)
    self.engine = engine
    self.source = source
    let (optimizer, diffusion) = (configuration.optimizer, configuration.diffusion)
    model = ImageDiffiT(
      configuration.networkSettings, precision: configuration.train.precision.dtype,
      recomputes: configuration.train.recompute)
    model.parameters.allocate(on: engine, gradients: true)
    model.parameters.initialize(seed: UInt64(configuration.train.seed))
    edm = EDM(
      pMean: diffusion.pMean, pStd: diffusion.pStd, sigmaData: diffusion.sigmaData)
    let parameters = model.parameters
    let buckets = GradientBuckets(
      count: parameters.flatCount, bucketMB: configuration.parallel.bucketMB)
    reducer = GradientReducer(
      parameters.gradients, buckets: buckets,
      method: configuration.reductionMethod(ranks: communicator.size), over: communicator)
    exchange = PieceExchange(buckets, over: communicator)
    finalRanges = parameters.paddedRanges
    let owned = OwnedRanges(reducer.ownPieces)
    statistics = StepStatistics(shards: reducer.method.localShards)
    learningRate = LearningRate(peak: optimizer.lr, warmup: optimizer.warmup)
    // EDM adds the loss up over an image's elements, where ours is their mean: gradients are smaller by
    // that factor, and epsilon with them.
    let elements = Double(configuration.networkSettings.imageShape(batch: 1).count)
    adam = Adam(
      owned: owned, betas: (optimizer.betas[0], optimizer.betas[1]),
      epsilon: optimizer.eps / elements, weightDecay: optimizer.weightDecay, on: engine)
    averages = configuration.ema.map {
      ExponentialAverage(
        name: $0.name, halfLife: Double($0.halfLife), rampup: $0.rampup, of: parameters.weights,
        owned: owned)
    }
  }

  /// Whether each rank keeps the optimiser's state of its pieces alone.
  var isSharded: Bool { reducer.method.keepsPieces }

  /// Starts the averages at the present weights: after weights were loaded from a file.
  func restartAverages() {
    for average in averages { average.restart(at: parameters.weights) }
  }

  /// An average as weights for the network, on every rank. Collective.
  func values(of average: ExponentialAverage) throws -> Tensor {
    guard isSharded else { return average.values }
    let all = Tensor(zeros: [parameters.flatCount], on: engine)
    let owned = adam.owned
    for (flat, kept) in zip(owned.views(ofFlat: all), owned.views(ofKept: average.values)) {
      flat.copy(from: kept)
    }
    try exchange.share(all)
    return all
  }
}

extension Configuration {
  /// The network that the configuration describes.
  var networkSettings: ImageDiffiT.Settings {
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
