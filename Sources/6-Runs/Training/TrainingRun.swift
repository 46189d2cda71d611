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

/// One `diffit train`: preparation, the loop, and what happens at intervals.
final class TrainingRun {
  let options: TrainOptions
  private(set) var configuration: Configuration
  let communicator: any Communicator
  let log: RunLog
  let directory: RunDirectory
  let examples: any TrainingDataset
  let context: ComputeContext
  /// What the manifest says of the run beside its configuration.
  let facts: [String: String]
  /// Nil where the run does not train on latents.
  let latents: LatentMetadata?
  /// Makes pictures of latents; nil where none are needed, or no autoencoder is named.
  let decoder: LatentDecoder?
  /// Nil where nothing is measured.
  private(set) var metrics: TrainingMetrics?
  /// For tests.
  let fault: FaultPoint?

  /// Validates everything on all ranks, without touching the run directory. Collective.
  init(
    _ options: TrainOptions, _ given: Configuration, _ communicator: any Communicator,
    _ log: RunLog,
    fault: FaultPoint? = nil
  ) throws {
    self.fault = fault
    (self.options, self.communicator, self.log) = (options, communicator, log)
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
          URL(fileURLWithPath: path), given.parameterTable, allowing: given.publishedTensors)
      }
    }
    examples = try given.examples(over: communicator)
    latents = (examples as? LatentDataset).map(LatentMetadata.init)
    facts = [ManifestKey.content: examples.contentDigest].merging(latents?.entries ?? [:]) { $1 }
    try communicator.requireEqual(Array(examples.contentDigest.utf8), of: "the data sets")
    let share = try CoreShare(of: communicator)
    if configuration.train.threads == 0 { configuration.train.threads = share.threads }
    context = ComputeContext(
      threadCount: configuration.train.threads, kernels: try communicator.agreedKernels())
    decoder = try given.decoder(latents, over: communicator, on: context)
    self.configuration = configuration
    if configuration.train.threads * share.sharers > share.cores && configuration.train.threads > 1
    {
      log.warning(
        "\(share.sharers) x \(configuration.train.threads) threads share \(share.cores) cores:"
          + " lower train.threads, or bind ranks to more cores (launch/local.sh does)")
    }
    metrics = try TrainingMetrics(self)
  }

  /// Trains to the end, or until somebody asks for a stop. Collective.
  func run(until stop: StopSignal) throws {
    // The lock first: a job that is still saving must not add a checkpoint behind our back.
    let lock = try communicator.agree { communicator.rank == 0 ? try directory.claim() : nil }
    defer { lock?.release() }
    try checkDirectoryIsShared()
    let resumed = try commonCheckpoint()
    try chooseMicroBatch(saved: resumed?.manifest.configuration)
    let perceptual = try communicator.agree { try perceptualDistance() }
    let trainer = Trainer(
      configuration, over: communicator, on: context,
      task: configuration.task(perceptual: perceptual)
    ) { [unowned self] in
      guard let loader = self.loader else { fatalError("TrainingRun: no loader") }
      let batch = try loader.next()
      return fault?.strike(batch, step: configuration.train.batch, on: communicator.rank) ?? batch
    }
    trainer.fault = fault
    (trainer.task as? DiffusionTask)?.decoder = decoder
    try communicator.agree {
      if let resumed {
        try refuseMismatch(resumed)
        try trainer.load(resumed)
      } else if let path = options.initialWeights {
        try ModelFile.load(
          URL(fileURLWithPath: path), trainer.table, allowing: configuration.publishedTensors,
          into: trainer.parameters.weights)
      }
    }
    try trainer.synchronize()
    if resumed == nil { for replica in trainer.replicas { replica.restartAverages() } }
    try communicator.agree {
      if communicator.rank == 0 { try prepareDirectory(resumedAt: trainer.imagesSeen) }
    }
    try announce(trainer, resumed)
    try loop(trainer, from: resumed, until: stop)
  }

  private(set) var loader: BatchLoader?

  /// The images that pictures of an autoencoder's work are made of: held-out ones, where there are any.
  /// Nil where others show what they draw.
  private(set) lazy var showcase: (any ImageDataset)? = {
    guard configuration.model.kind == .vae else { return nil }
    return (try? configuration.heldOutDataset()) ?? (examples as? ImageExamples)?.dataset
  }()

  /// Nil where the loss has no such term.
  private func perceptualDistance() throws -> PerceptualDistance? {
    let settings = configuration.vae
    guard configuration.model.kind == .vae, !settings.perceptual.isEmpty else { return nil }
    return try PerceptualDistance(
      weights: URL(fileURLWithPath: settings.perceptual),
      precision: configuration.train.precision.dtype, on: context)
  }

  private func loop(
    _ trainer: Trainer, from resumed: CheckpointReader?, until stop: StopSignal
  ) throws {
    let target = configuration.train.images
    startLoader(at: trainer.imagesSeen)
    defer { loader?.stop() }
    let intervals = try PeriodicActions(self, trainer, resumed: resumed)
    try intervals.begin()
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
      }
      log.progress(
        &progress, done: min(trainer.imagesSeen, target), detail: intervals.progressDetail)
      try intervals.pass(from: before)
      if let reason = try agreedStop(stop) {
        try intervals.stop(reason: reason)
      }
    }
    log.endProgress()
    try intervals.finish()
  }

  /// The signal that asked for a stop, if any rank got one; the same on all ranks.
  private func agreedStop(_ stop: StopSignal) throws -> String? {
    guard try communicator.anyRank(stop.reason != nil) else { return nil }
    let reasons = try communicator.gather(Array((stop.reason ?? "").utf8))
    return reasons.map { String(decoding: $0, as: UTF8.self) }.first { !$0.isEmpty }
  }

  private func startLoader(at start: Int) {
    loader = BatchLoader(
      examples, seed: UInt64(configuration.train.seed), start: UInt64(start),
      globalBatch: configuration.train.batch,
      share: configuration.share(rank: communicator.rank, of: communicator.size))
  }

  /// Fills `train.micro_batch` in: as saved, else from memory and cores; the least of all ranks.
  private func chooseMicroBatch(saved: [String: String]?) throws {
    if let saved { configuration.adoptChoices(from: saved) }
    guard configuration.train.microBatch == 0 else { return }
    if configuration.parallel.reduction == .reproducible {
      // It orders sums over images, so it must depend neither on memory nor on the number of ranks.
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
