import Checkpoints
import Foundation
import TensorCore

extension TrainRun {
  /// The checkpoint to go on from, as `--resume` says; every rank finds the same.
  func chooseCheckpoint() throws -> CheckpointReader? {
    let store = directory.checkpoints
    switch options.resume {
    case .never:
      let count = try store.list().count
      guard count == 0 else {
        throw TrainingError.runHasCheckpoints(run: directory.path, count: count)
      }
      return nil
    case .auto:
      guard let found = try store.newestGood() else { return nil }
      if communicator.rank == 0 {
        for passed in found.passedOver { log.warning("passed over: \(passed.reason.finding)") }
      }
      return found.checkpoint
    case .checkpoint(let path):
      let reader = try CheckpointReader.find(path).reader
      if let newest = try store.list().last, newest.images > reader.manifest.imagesSeen,
        !options.force
      {
        throw TrainingError.newerCheckpoints(
          run: directory.path, resumed: reader.url.lastPathComponent,
          newest: newest.url.lastPathComponent)
      }
      return reader
    }
  }

  /// Throws where the checkpoint was made by another network, other data or other settings that a run
  /// keeps from its first step to its last.
  func refuseMismatch(_ checkpoint: CheckpointReader) throws {
    let saved = checkpoint.manifest.configuration
    var differences = configuration.differences(from: saved)
    for (key, value) in facts {
      guard let before = saved[key], before != value else { continue }
      differences.append(ConfigurationDifference(key: key, saved: before, current: value))
    }
    guard checkpoint.manifest.table == Plan.table(configuration) else {
      // Not even --force puts one network's weights into another.
      throw TrainingError.otherNetwork(
        checkpoint: checkpoint.url.path, differences: differences.map(\.description))
    }
    if !differences.isEmpty && !options.force {
      throw ConfigurationError.differsFromRun(
        checkpoint: checkpoint.url.path, differences: differences)
    }
  }

  /// Takes the run directory over: lock, settings, log, and statistics without rows past the start.
  func prepareDirectory(resumedAt images: Int) throws -> RunLock {
    let lock = try directory.claim()
    try directory.checkpoints.clearLeftovers()
    try directory.write(configuration.yaml, to: directory.config)
    try StatsFile.truncate(directory.stats, afterImages: images)
    try? FileManager.default.removeItem(atPath: directory.stopped)
    try log.open(directory.log)
    return lock
  }

  /// The run's header: what runs, on what, from where to where.
  func announce(_ trainer: Trainer, _ resumed: CheckpointReader?) {
    let (ranks, threads) = (communicator.size, configuration.train.threads)
    let plan = Plan(configuration, ranks: ranks)
    log.info(
      "DiffiT, image space: \(plan.parameterCount) parameters,"
        + " \(configuration.model.resolution)x\(configuration.model.resolution) pixels,"
        + " \(configuration.model.classes == 0 ? "unconditional" : "\(configuration.model.classes) classes")"
    )
    log.info(
      "data: \(configuration.data.kind)"
        + (configuration.data.kind == .shapes ? "" : " at \(configuration.data.path)")
        + ", \(dataset.count) images")
    log.info(
      "ranks: \(ranks) x \(Display.quantity(threads, "thread")),"
        + " kernels \(engine.kernels.level), \(configuration.train.precision);"
        + " MPI: \(communicator.library)")
    let steps =
      (configuration.train.images - trainer.imagesSeen + configuration.train.batch - 1)
      / configuration.train.batch
    log.info(
      "batch: \(configuration.train.batch) images, in micro-batches of"
        + " \(configuration.train.microBatch) a rank;"
        + " \(Display.quantity(max(steps, 0), "step")) to \(Display.count(configuration.train.images)) images;"
        + " memory a rank about \(Display.bytes(plan.memory(microBatch: configuration.train.microBatch)))"
    )
    if let resumed {
      log.info(
        "resumed from \(resumed.url.path) (\(trainer.imagesSeen) images,"
          + " written by \(Display.quantity(resumed.manifest.worldSize, "rank")))")
      if resumed.manifest.build != Build.description {
        log.warning(
          "the checkpoint was written by \(resumed.manifest.build), this is \(Build.description):"
            + " results may differ in the last bits")
      }
    } else if let path = options.initialWeights {
      log.info("weights from \(path), fresh optimiser state")
    }
    log.info("run directory: \(directory.path)")
  }
}
