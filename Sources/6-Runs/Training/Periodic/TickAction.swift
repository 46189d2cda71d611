import Checkpoints
import Collectives
import CommandSupport
import Foundation
import Reporting
import SystemSupport

/// Writes the figures of the time since the last tick to `stats.jsonl` and to the log, one row per
/// tick.
final class TickAction: PeriodicAction {
  private let trainer: Trainer
  private let datasetCount: Int
  private let stats: StatsFile?
  private let log: RunLog
  /// Images of all ranks at the last tick.
  private var lastImages: Int
  /// When the last tick was, in seconds, later by the time that does not count.
  private var lastTime = MonotonicClock.now

  var every: Int { trainer.configuration.log.every }

  /// - Parameters:
  ///   - datasetCount: images per epoch.
  ///   - stats: of the first rank; nil on the others.
  init(_ trainer: Trainer, datasetCount: Int, stats: StatsFile?, log: RunLog) {
    (self.trainer, self.datasetCount, self.stats, self.log) = (trainer, datasetCount, stats, log)
    lastImages = trainer.imagesSeen
  }

  func run() throws {
    let now = MonotonicClock.now
    guard trainer.imagesSeen > lastImages else { return }
    let row = try trainer.tick(
      seconds: now - lastTime, images: trainer.imagesSeen - lastImages, datasetCount: datasetCount)
    (lastImages, lastTime) = (trainer.imagesSeen, now)
    try trainer.communicator.agree { try stats?.append(row) }
    log.info(
      "\(Format.count(row.images)) images  loss \(String(format: "%.4f", row.loss))"
        + "  \(Format.rate(row.imagesPerSecond))  lr \(String(format: "%.2e", row.lr))"
        + "  gradient \(String(format: "%.3f", row.gradNorm))"
        + "  memory \(Format.bytes(row.peakRSS))")
    try nameStraggler(row.rankStepSeconds)
  }

  /// Does something that is not training: its time does not count for the tick.
  func pause(_ body: () throws -> Void) rethrows {
    let begun = MonotonicClock.now
    try body()
    lastTime += MonotonicClock.now - begun
  }

  /// Warns of a rank that keeps the others waiting. Collective: all ranks hold the same figures.
  private func nameStraggler(_ spread: RankStepSeconds) throws {
    let ratio = spread.max / spread.median
    let limit = trainer.configuration.log.straggler
    guard trainer.communicator.size > 1, limit > 0, ratio > limit else { return }
    let hosts = try trainer.communicator.hosts()
    guard trainer.communicator.rank == 0 else { return }
    func text(_ seconds: Double) -> String { String(format: "%.3f s", seconds) }
    log.warning(
      "rank \(spread.slowest) on \(hosts[spread.slowest]) is slow:"
        + " \(text(spread.max)) per step, the median rank \(text(spread.median)); it loses most in"
        + " \(spread.slowestPhase) (log.straggler is \(limit))")
  }
}
