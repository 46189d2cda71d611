import Checkpoints
import Collectives
import CommandSupport
import Configuration
import Evaluation
import Foundation
import ModelLoading
import Reporting
import SystemSupport

/// What a run does between its steps: ticks, comparisons of the ranks, checkpoints, previews and
/// metrics.
final class PeriodicActions {
  private let trainer: Trainer
  private let directory: RunDirectory
  private let log: RunLog
  /// Of the first rank; nil on the others.
  private let lock: RunLock?
  /// Images of all ranks when this start of the run began.
  private let startedAt: Int
  private let ticks: TickAction
  private let checkpoints: CheckpointAction
  private let previews: PreviewAction
  /// Nil where nothing is measured.
  private let metrics: MetricsAction?
  /// Reports for people and tools; of the first rank, nil on the others.
  private let outputs: RunOutputs?
  /// The actions whose time belongs to no tick, in the order in which they run after a step.
  private let actions: [any PeriodicAction]

  private var configuration: Configuration { trainer.configuration }
  private var communicator: any Communicator { trainer.communicator }

  /// Collective.
  ///
  /// - Parameters:
  ///   - metrics: nil where nothing is measured.
  ///   - lock: of the run's directory, on the first rank.
  ///   - resumed: the checkpoint being resumed. A checkpoint or a preview that already exists for
  ///     its image count is not written again.
  ///   - isBranch: whether checkpoints that are newer than `resumed` are discarded.
  init(
    _ trainer: Trainer, on data: TrainingData, metrics: TrainingMetrics?,
    in directory: RunDirectory, lock: RunLock?, log: RunLog, resumed: CheckpointReader?,
    isBranch: Bool
  ) throws {
    (self.trainer, self.directory, self.lock, self.log) = (trainer, directory, lock, log)
    startedAt = trainer.imagesSeen
    let communicator = trainer.communicator
    let stats = try communicator.agree {
      communicator.rank == 0 ? try StatsFile(directory.stats) : nil
    }
    ticks = TickAction(trainer, datasetCount: data.samples.count, stats: stats, log: log)
    let checkpoints = CheckpointAction(
      trainer, facts: data.facts, in: directory, log: log, resumed: resumed, isBranch: isBranch)
    let previews = try PreviewAction(
      trainer, of: data, in: directory, log: log, isResumed: resumed != nil)
    let measuring = metrics.map {
      MetricsAction(trainer, $0, checkpoints: checkpoints, stats: stats, in: directory, log: log)
    }
    (self.checkpoints, self.previews, self.metrics) = (checkpoints, previews, measuring)
    outputs = try communicator.agree {
      communicator.rank == 0
        ? try RunOutputs(
          run: directory.path, from: trainer.imagesSeen, ranks: communicator.size,
          trainer.configuration.log.outputs, warn: log.warning) : nil
    }
    let all: [(any PeriodicAction)?] = [
      RankComparison(trainer), checkpoints, SnapshotAction(trainer, in: directory), previews,
      measuring,
    ]
    actions = all.compactMap(\.self)
  }

  /// Before the first step: measures what came due at the moment at which the run resumes, unless
  /// that was done before.
  func begin() throws {
    try communicator.agree {
      guard communicator.rank == 0 else { return }
      // A checkpoint that is newer belongs to a branch that this run has left.
      let (kept, note) = try directory.best(by: configuration.metrics.best)
      if let note { log.warning(note) }
      if let kept, kept.images > startedAt { try directory.remove(directory.best) }
    }
    try metrics?.begin()
    let before = startedAt - configuration.train.batch
    if startedAt > 0, let metrics, metrics.isDue(from: before, to: startedAt) { try run(metrics) }
  }

  /// The loss of the last step, for the progress line.
  var progressDetail: String { "loss \(String(format: "%.4f", trainer.statistics.latest))" }

  /// After a step that began at `before` images: runs whatever came due.
  func run(after before: Int) throws {
    try checkpoints.advance()
    let now = trainer.imagesSeen
    var isNew = ticks.isDue(from: before, to: now)
    if isNew {
      try checkDirectory()
      try ticks.run()
    }
    for action in actions where action.isDue(from: before, to: now) {
      try run(action)
      isNew = true
    }
    if isNew { ticks.pause { outputs?.update() } }
  }

  /// After an error: the last page says that the run failed.
  func fail() { outputs?.update(status: .failed) }

  /// After the last step.
  func finish() throws {
    try checkDirectory()
    try ticks.run()
    try ticks.pause { try checkpoints.save(waiting: true) }
    if previews.every > 0 { try run(previews) }
    if let metrics { try run(metrics) }
    defer { outputs?.update(status: .done) }
    guard startedAt < configuration.train.images else {
      return log.info(
        "nothing to train: the run has seen \(startedAt) of \(configuration.train.images) images;"
          + " raise train.images to go on")
    }
    try checkDirectory()
    let (skipped, steps) = (trainer.skippedUpdates, trainer.imagesSeen / configuration.train.batch)
    if 2 * skipped > steps, communicator.rank == 0 {
      log.warning(
        "\(skipped) of the run's \(steps) updates were left out, because the loss or a gradient was not"
          + " finite: it has learnt little; lower optimizer.lr, or set optimizer.clip_norm")
    }
    log.info("done: \(trainer.imagesSeen) images; \(directory.path) holds the run")
  }

  /// After too many updates that were left out: waits for a save that is under way, and ends the job.
  func giveUp() throws {
    try checkDirectory()
    try ticks.run()
    try checkpoints.finish()
    let (skips, images) = (trainer.skips, trainer.imagesSeen)
    try communicator.agree {
      let good = try directory.goodCheckpoint(upTo: skips.provenAt)
      throw TrainingError.diverged(skipped: skips.inARow, images: images, good: good?.url.path)
    }
  }

  /// Throws, on every rank, where the run's directory is gone. Collective.
  private func checkDirectory() throws {
    try communicator.agree {
      if let lock, !lock.isInPlace { throw TrainingError.directoryGone(run: directory.path) }
    }
  }

  /// On request: saves, writes down why, and ends the job with exit code 64.
  func stop(reason: String) throws {
    try checkDirectory()
    try ticks.run()
    try ticks.pause { try checkpoints.save(waiting: true) }
    try communicator.agree {
      guard communicator.rank == 0 else { return }
      try directory.write(
        "{\"reason\": \(JSONText.quoted(reason)), \"images\": \(trainer.imagesSeen)}\n",
        to: directory.stopped)
    }
    outputs?.update(status: .stopped)
    throw StoppedOnRequest(reason: reason, images: trainer.imagesSeen)
  }

  private func run(_ action: any PeriodicAction) throws { try ticks.pause(action.run) }
}

/// Compares the ranks' states, which have to be equal.
final class RankComparison: PeriodicAction {
  private let trainer: Trainer
  var every: Int { trainer.configuration.parallel.checkEvery }

  init(_ trainer: Trainer) { self.trainer = trainer }

  func run() throws {
    if trainer.communicator.size > 1 { try trainer.compareRanks() }
  }
}
