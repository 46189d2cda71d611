import Checkpoints
import Collectives
import CommandSupport
import Configuration
import Evaluation
import Foundation
import ModelLoading
import Synchronization

/// Saves checkpoints, and removes those that are not kept any more.
final class CheckpointAction: PeriodicAction {
  private let trainer: Trainer
  private let directory: RunDirectory
  private let log: RunLog
  private let saver: CheckpointSaver
  /// Images of the last checkpoint that was begun, or of the resumed one if it is in this run's
  /// directory.
  private var savedAt: Int?

  var every: Int { trainer.configuration.checkpoint.every }

  /// - Parameters:
  ///   - facts: what the manifest says of the data besides the configuration.
  ///   - resumed: the checkpoint being resumed.
  ///   - isBranch: whether checkpoints that are newer than `resumed` are discarded once this branch
  ///     has a checkpoint of its own.
  init(
    _ trainer: Trainer, facts: [String: String], in directory: RunDirectory, log: RunLog,
    resumed: CheckpointReader?, isBranch: Bool
  ) {
    (self.trainer, self.directory, self.log) = (trainer, directory, log)
    saver = CheckpointSaver(
      trainer, facts: facts, store: directory.checkpoints,
      afterCommit: Self.retention(
        trainer.configuration, in: directory, discardingAfter: isBranch ? trainer.imagesSeen : nil))
    let store = directory.checkpoints.directory.standardizedFileURL.path
    if resumed?.url.deletingLastPathComponent().standardizedFileURL.path == store {
      savedAt = trainer.imagesSeen
    }
  }

  func run() throws { try save(waiting: !trainer.configuration.checkpoint.async) }

  /// Goes on with a save that is under way. Collective; called after each step.
  func advance() throws {
    if let saved = try saver.advance() { report(saved) }
  }

  /// Saves the present state, after a save that is still under way. Collective.
  ///
  /// - Parameter waiting: whether to return only when the checkpoint is complete.
  func save(waiting: Bool) throws {
    trainer.communicator.activity.enter(.saving)
    try finish()
    if savedAt != trainer.imagesSeen {
      try saver.begin()
      savedAt = trainer.imagesSeen
    }
    if waiting { try finish() }
  }

  /// Waits for a save that is under way. Collective.
  func finish() throws {
    if let saved = try saver.finish() { report(saved) }
  }

  private func report(_ saved: CheckpointSaver.Saved) {
    for note in saved.notes { log.info(note) }
    func text(_ seconds: Double) -> String { String(format: "%.2f s", seconds) }
    log.info(
      "checkpoint: \(CheckpointStore.name(images: saved.images)) in \(text(saved.seconds)),"
        + " training waited \(text(saved.stalled))")
  }

  /// Removes checkpoints that are not kept any more; called on the first rank, after each commit.
  ///
  /// - Parameter branch: images at which the run branched off. At the first commit checkpoints that
  ///   are newer than that are removed, before the newest are counted. Nil: the run did not branch
  ///   off.
  private static func retention(
    _ settings: Configuration, in directory: RunDirectory, discardingAfter branch: Int?
  ) -> @Sendable (_ images: Int, _ lastGood: Int?) throws -> [String] {
    let store = directory.checkpoints
    let isFirst = Atomic(true)
    return { images, lastGood in
      var notes: [String] = []
      if let branch, isFirst.exchange(false, ordering: .relaxed) {
        notes = try store.removeNewer(than: branch, except: images).map {
          "discarded \($0.path)"
        }
      }
      return try notes + directory.applyRetention(settings, sparing: lastGood)
    }
  }
}
