import Checkpoints
import Collectives
import CommandSupport
import Configuration
import Datasets
import DiffiTModels
import Foundation
import ModelLoading
import RunData
import SystemSupport
import TensorCore

/// One `diffit train`: preparation, then the loop of steps.
final class TrainingRun {
  let options: TrainOptions
  /// The settings as they were asked for, with 0 where the run chooses.
  let asked: Configuration
  /// The settings with what the run has chosen.
  private(set) var configuration: Configuration
  let communicator: any Communicator
  let log: RunLog
  let directory: RunDirectory
  let data: TrainingData
  let context: ComputeContext
  /// Turns latents into images; nil where that is not needed, or no autoencoder is named.
  private let decoder: LatentDecoder?
  /// Nil where nothing is measured.
  private let metrics: TrainingMetrics?
  /// Called at named points of the run; nil: nothing is called.
  private let hook: (any StepHook)?

  /// Validates everything on all ranks, without touching the run directory. Collective.
  init(
    _ options: TrainOptions, _ given: Configuration, _ communicator: any Communicator,
    _ log: RunLog, hook: (any StepHook)? = nil
  ) throws {
    (self.options, self.communicator, self.log, self.hook) = (options, communicator, log, hook)
    asked = given
    let directory = RunDirectory(path: options.run)
    self.directory = directory
    var configuration = given
    let ranks = communicator.size
    try communicator.agree {
      guard given.train.batch >= ranks else {
        throw TrainingError.batchTooSmall(batch: given.train.batch, ranks: ranks)
      }
      guard given.parallel.reduction == .fast || given.parallel.shards % ranks == 0 else {
        throw TrainingError.ranksDoNotDivideShards(
          ranks: ranks, shards: given.parallel.shards)
      }
      if let path = options.initialWeights, try directory.checkpoints.list().isEmpty {
        try ModelFile.check(
          URL(fileURLWithPath: path), given.modelTable, allowing: given.publishedTensors)
      }
    }
    data = try TrainingData(given, over: communicator)
    let share = try CoreShare(of: communicator)
    if configuration.train.threads == 0 { configuration.train.threads = share.threads }
    let (threads, kernels) = (configuration.train.threads, try communicator.agreedKernels())
    context = try communicator.agree {
      try ComputeContext(threadCount: threads, kernels: kernels)
    }
    decoder = try given.decoder(data.latents, over: communicator, on: context)
    self.configuration = configuration
    let isCrowded = threads * share.sharers > share.cores && threads > 1
    try log.sharedWarning(
      isCrowded
        ? "\(share.sharers) x \(threads) threads share \(share.cores) cores: lower train.threads, or"
          + " bind ranks to more cores (launch/local.sh does)" : nil,
      over: communicator)
    metrics = try TrainingMetrics(
      configuration, on: data, canDecode: decoder != nil, in: directory, log: log,
      over: communicator, on: context)
  }

  /// Trains to the end, or until a signal asks for a stop. Collective.
  func run(until stop: StopSignal) throws {
    // The lock first: a job that is still saving must not add a checkpoint behind our back.
    let lock = try communicator.agree { communicator.rank == 0 ? try directory.claim() : nil }
    defer { lock?.release() }
    try checkDirectoryIsShared()
    let resumed = try commonCheckpoint()
    try chooseMicroBatch(saved: resumed?.manifest.configuration)
    let perceptual = try communicator.agree { try perceptualDistance() }
    if let resumed { try communicator.agree { try refuseMismatch(resumed) } }
    let loader = try communicator.agree {
      try self.loader(from: resumed?.manifest.imagesSeen ?? 0)
    }
    defer { loader.stop() }
    let trainer = Trainer(
      configuration, over: communicator, on: context,
      task: configuration.task(perceptual: perceptual, decoder: decoder), loader: loader,
      hook: hook)
    try communicator.agree {
      if let resumed {
        try trainer.load(resumed)
      } else if let path = options.initialWeights {
        try ModelFile.load(
          URL(fileURLWithPath: path), configuration.modelTable,
          allowing: configuration.publishedTensors,
          into: trainer.parameters.weights)
      }
    }
    try trainer.synchronize()
    if resumed == nil { for state in trainer.states { state.restartAverages() } }
    try communicator.agree {
      if communicator.rank == 0 { try prepareDirectory(resumedAt: trainer.imagesSeen) }
    }
    try announce(trainer, resumed)
    let isBranch = if case .checkpoint = options.resume { options.force } else { false }
    let actions = try PeriodicActions(
      trainer, on: data, metrics: metrics, in: directory, lock: lock, log: log, resumed: resumed,
      isBranch: isBranch)
    try noting(trainer, actions) { try loop(trainer, actions, until: stop) }
  }

  /// Notes in `starts.jsonl` when the loop begins, and when and how it ends.
  private func noting(
    _ trainer: Trainer, _ actions: PeriodicActions, _ body: () throws -> Void
  ) throws {
    let events = try communicator.agree {
      communicator.rank == 0 ? try StatsFile(directory.starts) : nil
    }
    let start = RunEvent.start(
      images: trainer.imagesSeen, ranks: communicator.size, threads: configuration.train.threads,
      microBatch: configuration.train.microBatch, kernels: context.kernels.level)
    try communicator.agree { try events?.append(start) }
    do {
      try body()
    } catch {
      if !(error is StoppedOnRequest) { actions.fail() }
      // What ended the run is told; the note must not take its place.
      try? events?.append(RunEvent.end(images: trainer.imagesSeen, outcome: "\(error)"))
      throw error
    }
    try communicator.agree {
      try events?.append(RunEvent.end(images: trainer.imagesSeen, outcome: "done"))
    }
  }

  /// Prepares this rank's batches from `start` images on.
  private func loader(from start: Int) throws -> DataLoader {
    try DataLoader(
      data.samples, seed: UInt64(configuration.train.seed), start: UInt64(start),
      globalBatch: configuration.train.batch,
      share: configuration.share(rank: communicator.rank, of: communicator.size))
  }

  /// The perceptual term of an autoencoder's loss; nil where the loss has no such term.
  private func perceptualDistance() throws -> PerceptualDistance? {
    let settings = configuration.vae
    guard configuration.model.kind == .vae, !settings.perceptual.isEmpty else { return nil }
    return try PerceptualDistance(
      weights: URL(fileURLWithPath: settings.perceptual),
      precision: configuration.train.precision.dtype, on: context)
  }

  private func loop(
    _ trainer: Trainer, _ actions: PeriodicActions, until stop: StopSignal
  ) throws {
    let target = configuration.train.images
    try actions.begin()
    var progress = ProgressLine(
      "training", of: target, from: trainer.imagesSeen, startedAt: MonotonicClock.now)
    while trainer.imagesSeen < target {
      let before = trainer.imagesSeen
      let skipped = trainer.skippedUpdates
      communicator.activity.reach(images: before)
      try trainer.step()
      log.images = trainer.imagesSeen
      if trainer.skippedUpdates > skipped {
        log.endProgress()
        if communicator.rank == 0 {
          log.warning(
            "the loss or a gradient is not finite at \(trainer.imagesSeen) images:"
              + " update skipped (\(trainer.skippedUpdates) so far)")
        }
        let most = configuration.optimizer.maxSkipped
        if most > 0, trainer.skips.inARow >= most { try actions.giveUp() }
      }
      log.progress(
        &progress, done: min(trainer.imagesSeen, target), detail: actions.progressDetail)
      try actions.run(after: before)
      if let reason = try agreedStop(stop) {
        try actions.stop(reason: reason)
      }
    }
    log.endProgress()
    try actions.finish()
  }

  /// The signal that asked for a stop, if any rank got one; the same on all ranks.
  private func agreedStop(_ stop: StopSignal) throws -> String? {
    guard try communicator.anyRank(stop.reason != nil) else { return nil }
    return try communicator.firstText(stop.reason)
  }

  /// Fills in `train.micro_batch`: the saved one, else one chosen from memory and cores; then the
  /// smallest that any rank has chosen.
  private func chooseMicroBatch(saved: [String: String]?) throws {
    if let saved { configuration.adoptChoices(from: saved) }
    guard configuration.train.microBatch == 0 else { return }
    if configuration.parallel.reduction == .reproducible {
      // It decides the order of sums over images, so it depends neither on memory nor on the number
      // of ranks.
      configuration.train.microBatch = ResourcePlan.microBatch(
        ofShard: configuration.train.batch / configuration.parallel.shards)
      return
    }
    let share = configuration.share(rank: communicator.rank, of: communicator.size).count
    let chosen = try ResourcePlan(configuration, ranks: communicator.size).microBatch(
      share: share, threads: configuration.train.threads,
      memory: availableMemory() / communicator.localSize)
    configuration.train.microBatch = Int(try communicator.reduce(Int64(chosen), .min))
  }
}
