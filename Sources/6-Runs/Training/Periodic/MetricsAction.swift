import Checkpoints
import Collectives
import CommandSupport
import Configuration
import Evaluation
import ModelLoading
import SystemSupport

/// Computes the metrics that are named, and keeps the checkpoint that is the best so far.
final class MetricsAction: PeriodicAction {
  private let trainer: Trainer
  private let metrics: TrainingMetrics
  private let checkpoints: CheckpointAction
  private let stats: StatsFile?
  private let directory: RunDirectory
  private let log: RunLog
  private var measuredAt: Int?

  private var communicator: any Communicator { trainer.communicator }
  var every: Int { trainer.configuration.metrics.every }

  /// - Parameter stats: of the first rank; nil on the others.
  init(
    _ trainer: Trainer, _ metrics: TrainingMetrics, checkpoints: CheckpointAction,
    stats: StatsFile?, in directory: RunDirectory, log: RunLog
  ) {
    (self.trainer, self.metrics, self.checkpoints) = (trainer, metrics, checkpoints)
    (self.stats, self.directory, self.log) = (stats, directory, log)
  }

  /// Finds out whether the state that the run resumes from has been measured before. Collective.
  func begin() throws {
    let isMeasured = try communicator.agree {
      guard communicator.rank == 0 else { return false }
      return try StatsFile.rows(directory.stats).contains {
        $0["metrics"] != nil && $0["images"] as? Int == trainer.imagesSeen
      }
    }
    if try communicator.anyRank(isMeasured) { measuredAt = trainer.imagesSeen }
  }

  func run() throws {
    guard measuredAt != trainer.imagesSeen else { return }
    let row = try metrics.measure(trainer)
    measuredAt = trainer.imagesSeen
    log.info(
      "metrics of \(row.weights): \(metrics.summary(row)),"
        + " \(Format.quantity(row.samples, "sample")) in \(Format.duration(row.seconds))")
    try communicator.agree { try stats?.append(row) }
    let name = trainer.configuration.metrics.best
    if let value = row.metrics[name] { try keepIfBest(name, value) }
  }

  private func keepIfBest(_ metric: String, _ value: Double) throws {
    let isBest = try communicator.agree {
      guard communicator.rank == 0 else { return false }
      let (before, note) = try directory.best(by: metric)
      if let note { log.warning(note) }
      return before?.isBeaten(by: value) ?? value.isFinite
    }
    guard try communicator.anyRank(isBest) else { return }
    // The file is written when the checkpoint is complete, and names the one before until then.
    try checkpoints.save(waiting: true)
    let best = BestCheckpoint(metric: metric, value: value, images: trainer.imagesSeen)
    try communicator.agree {
      guard communicator.rank == 0 else { return }
      try writeJSON(best, to: directory.best)
      try directory.applyRetention(trainer.configuration, sparing: trainer.skips.lastGood)
        .forEach(log.warning)
    }
    log.info("best \(metric) so far: \(best.checkpoint) is kept")
  }
}
