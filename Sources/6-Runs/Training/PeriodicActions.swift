import Checkpoints
import Collectives
import CommandSupport
import Configuration
import FileFormats
import Foundation
import Synchronization
import SystemSupport
import TensorCore

/// What happens beside the steps of a run: ticks, checkpoints, sample grids and metrics.
final class PeriodicActions {
  private let run: TrainingRun
  private let trainer: Trainer
  private let stats: StatsFile?
  private var tickedAt: (images: Int, time: Double)
  private let startedAt: Int
  private let saver: CheckpointSaver
  private var savedAt: Int?
  private var sampledAt: Int?
  private var measuredAt: Int?

  private var configuration: Configuration { run.configuration }
  private var communicator: any Communicator { run.communicator }

  /// - Parameter resumed: where the run goes on from; what it has of that moment is not made again.
  init(_ run: TrainingRun, _ trainer: Trainer, resumed: CheckpointReader?) throws {
    (self.run, self.trainer) = (run, trainer)
    stats = try run.communicator.agree {
      run.communicator.rank == 0 ? try StatsFile(run.directory.stats) : nil
    }
    tickedAt = (trainer.imagesSeen, MonotonicClock.now)
    startedAt = trainer.imagesSeen
    saver = CheckpointSaver(run, trainer, afterCommit: Self.retention(run, startedAt: startedAt))
    guard let resumed else { return }
    let store = run.directory.checkpoints.directory.standardizedFileURL.path
    if resumed.url.deletingLastPathComponent().standardizedFileURL.path == store {
      savedAt = startedAt
    }
    let kinds = ["raw"] + trainer.model.averages.map(\.name)
    let isDrawn = kinds.allSatisfy {
      FileManager.default.fileExists(
        atPath: run.directory.samples(images: trainer.imagesSeen, kind: $0))
    }
    if try run.communicator.allRanks(isDrawn) { sampledAt = startedAt }
  }

  /// Before the first step: what came due at the moment that the run goes on from, and was not done.
  func begin() throws {
    let isMeasured = try communicator.agree {
      guard communicator.rank == 0 else { return false }
      // What was best later was so on a branch that this one has left.
      let kept = BestCheckpoint(of: run.directory, metric: configuration.metrics.best)
      if let kept, kept.images > startedAt { try run.directory.remove(run.directory.best) }
      return try StatsFile.rows(run.directory.stats).contains {
        $0["metrics"] != nil && $0["images"] as? Int == startedAt
      }
    }
    if try communicator.anyRank(isMeasured) { measuredAt = startedAt }
    let before = startedAt - configuration.train.batch
    if startedAt > 0, isDue(configuration.metrics.every, before) { try measure() }
  }

  var progressDetail: String { "loss \(String(format: "%.4f", trainer.statistics.latest))" }

  /// After a step that began at `before` images: whatever came due.
  func pass(from before: Int) throws {
    if let saved = try saver.advance() { report(saved) }
    if isDue(configuration.log.every, before) { try tick() }
    if isDue(configuration.parallel.checkEvery, before) { try compareReplicas() }
    if isDue(configuration.checkpoint.every, before) {
      try save(waiting: !configuration.checkpoint.async)
    }
    if isDue(configuration.sample.every, before) { try drawGrids() }
    if isDue(configuration.metrics.every, before) { try measure() }
  }

  /// After the last step.
  func finish() throws {
    try tick()
    try save(waiting: true)
    if configuration.sample.every > 0 { try drawGrids() }
    try measure()
    guard startedAt < configuration.train.images else {
      return run.log.info(
        "nothing to train: the run has seen \(startedAt) of \(configuration.train.images) images;"
          + " raise train.images to go on")
    }
    run.log.info("done: \(trainer.imagesSeen) images; \(run.directory.path) holds the run")
  }

  /// On request: saves, notes why, and ends the job with exit code 64.
  func stop(reason: String) throws {
    try tick()
    try save(waiting: true)
    try communicator.agree {
      guard communicator.rank == 0 else { return }
      try run.directory.write(
        "{\"reason\": \(JSONText.quoted(reason)), \"images\": \(trainer.imagesSeen)}\n",
        to: run.directory.stopped)
    }
    throw StoppedOnRequest(reason: reason, images: trainer.imagesSeen)
  }

  /// At the first step at or past each multiple of `every`; never where that is 0.
  private func isDue(_ every: Int, _ before: Int) -> Bool {
    every > 0 && before / every != trainer.imagesSeen / every
  }

  private func tick() throws {
    let now = MonotonicClock.now
    guard trainer.imagesSeen > tickedAt.images else { return }
    let row = try trainer.tick(
      seconds: now - tickedAt.time, images: trainer.imagesSeen - tickedAt.images,
      datasetCount: run.examples.count)
    tickedAt = (trainer.imagesSeen, now)
    try communicator.agree { try stats?.append(row) }
    run.log.info(
      "\(Format.count(row.images)) images  loss \(String(format: "%.4f", row.loss))"
        + "  \(Format.rate(row.imagesPerSecond))  lr \(String(format: "%.2e", row.lr))"
        + "  gradient \(String(format: "%.3f", row.gradNorm))"
        + "  memory \(Format.bytes(row.peakRSS))")
    try nameStraggler(row.rankStepSeconds)
  }

  /// Warns of a rank that keeps the others waiting. Collective: all ranks hold the same figures.
  private func nameStraggler(_ spread: RankStepSeconds) throws {
    let ratio = spread.max / spread.median
    let limit = configuration.log.straggler
    guard communicator.size > 1, limit > 0, ratio > limit else { return }
    let hosts = try communicator.hosts()
    guard communicator.rank == 0 else { return }
    func text(_ seconds: Double) -> String { String(format: "%.3f s", seconds) }
    run.log.warning(
      "rank \(spread.slowest) on \(hosts[spread.slowest]) is slow:"
        + " \(text(spread.max)) a step, the median rank \(text(spread.median)); it loses most in"
        + " \(spread.slowestPhase) (log.straggler is \(limit))")
  }

  /// Saves the present state, after a save that is still under way.
  ///
  /// - Parameter waiting: until it is complete.
  private func save(waiting: Bool) throws {
    communicator.activity.enter(.saving)
    let start = MonotonicClock.now
    if let saved = try saver.finish() { report(saved) }
    if savedAt != trainer.imagesSeen {
      try saver.begin()
      savedAt = trainer.imagesSeen
    }
    if waiting, let saved = try saver.finish() { report(saved) }
    tickedAt.time += MonotonicClock.now - start
  }

  private func report(_ saved: CheckpointSaver.Saved) {
    for note in saved.notes { run.log.info(note) }
    func text(_ seconds: Double) -> String { String(format: "%.2f s", seconds) }
    run.log.info(
      "checkpoint: \(CheckpointStore.name(images: saved.images)) in \(text(saved.seconds)),"
        + " training waited \(text(saved.stalled))")
  }

  /// Removes the checkpoints that are not kept any more, on the first rank. After `--force` from an older
  /// checkpoint the newer ones go, once this branch has one of its own; before the others, of which the
  /// newest are kept.
  private static func retention(
    _ run: TrainingRun, startedAt: Int
  ) -> @Sendable (_ images: Int) throws -> [String] {
    let (directory, settings) = (run.directory, run.configuration)
    let store = directory.checkpoints
    let isBranch = if case .checkpoint = run.options.resume { run.options.force } else { false }
    let isFirst = Atomic(true)
    return { images in
      var notes: [String] = []
      if isBranch && isFirst.exchange(false, ordering: .relaxed) {
        notes = try store.removeNewer(than: startedAt, except: images).map {
          "discarded \($0.path)"
        }
      }
      try directory.applyRetention(settings)
      return notes
    }
  }

  private func compareReplicas() throws {
    guard communicator.size > 1 else { return }
    let start = MonotonicClock.now
    try trainer.compareReplicas()
    tickedAt.time += MonotonicClock.now - start
  }

  /// Grids from fixed seeds, with the weights themselves and with each average; all ranks draw.
  private func drawGrids() throws {
    guard sampledAt != trainer.imagesSeen, configuration.sample.count > 0,
      trainer.task.showsPictures
    else { return }
    communicator.activity.enter(.sampling)
    let start = MonotonicClock.now
    var paths = [try drawGrid(kind: "raw", weights: trainer.parameters.weights)]
    for average in trainer.model.averages {
      paths.append(try drawGrid(kind: average.name, weights: trainer.model.values(of: average)))
    }
    sampledAt = trainer.imagesSeen
    run.context.memory.trim()  // sampling has sizes of its own
    run.log.info(
      "samples: \(paths.joined(separator: ", ")) in"
        + " \(String(format: "%.1f", MonotonicClock.now - start)) s")
    tickedAt.time += MonotonicClock.now - start
  }

  /// Computes the metrics that are named, and keeps the checkpoint that is the best so far.
  private func measure() throws {
    guard let metrics = run.metrics, measuredAt != trainer.imagesSeen else { return }
    let start = MonotonicClock.now
    let row = try metrics.measure(trainer)
    measuredAt = trainer.imagesSeen
    run.log.info(
      "metrics of \(row.weights): \(metrics.summary(row)), \(Format.quantity(row.samples, "sample"))"
        + " in \(Format.duration(row.seconds))")
    try communicator.agree { try stats?.append(row) }
    tickedAt.time += MonotonicClock.now - start
    let name = configuration.metrics.best
    if let value = row.metrics[name] { try keepIfBest(name, value) }
  }

  private func keepIfBest(_ metric: String, _ value: Double) throws {
    let directory = run.directory
    let isBest = try communicator.agree {
      guard communicator.rank == 0 else { return false }
      let before = BestCheckpoint(of: directory, metric: metric)
      return before?.isBeaten(by: value) ?? value.isFinite
    }
    guard try communicator.anyRank(isBest) else { return }
    // The file is written when the checkpoint is complete, and names the one before until then.
    try save(waiting: true)
    let best = BestCheckpoint(metric: metric, value: value, images: trainer.imagesSeen)
    try communicator.agree {
      guard communicator.rank == 0 else { return }
      try writeJSON(best, to: directory.best)
      try directory.applyRetention(configuration)
    }
    run.log.info("best \(metric) so far: \(best.checkpoint) is kept")
  }

  private func drawGrid(kind: String, weights: Tensor) throws -> String {
    let own = communicator.share(of: configuration.sample.count)
    let pictures = try communicator.agree {
      try trainer.parameters.withWeights(weights) {
        try trainer.task.pictures(
          own, configuration.sample, of: run.showcase, on: run.context)
      }
    }
    let pixels = try communicator.gather(values: pictures.flatMap(\.pixels))
    let path = run.directory.samples(images: trainer.imagesSeen, kind: kind)
    try communicator.agree {
      guard communicator.rank == 0 else { return }
      let side = trainer.task.pictureSide
      try ImageGrid.writePNG(pixels, height: side, width: side, to: path)
    }
    return path
  }
}
