import Checkpoints
import Collectives
import Foundation
import SystemSupport
import TensorCore

/// Saves a run's state while training goes on.
///
/// Every rank copies its ranges of the state, and a thread of its own writes the copy. When the
/// ranks find after a step that all of them have written, the first rank commits the checkpoint,
/// also on a thread. With `checkpoint.async: false` the same happens at once, without the copy.
final class CheckpointSaver {
  /// A save that is complete.
  struct Saved {
    /// Images of all ranks that it has seen.
    let images: Int
    /// Seconds from its beginning to its commit.
    let seconds: Double
    /// Seconds of these during which training waited.
    let stalled: Double
    /// Lines for the log, from the commit.
    let notes: [String]
  }

  private enum Stage {
    case writing(BackgroundTask<ShardRecord>)
    case committing(BackgroundTask<[String]>)
  }

  private struct Save {
    let images: Int
    /// `SkippedUpdates.lastGood` when the save began.
    let lastGood: Int?
    /// Complete except for the records of the files.
    let manifest: Manifest
    let begun: Double
    var stalled: Double
    var stage: Stage
  }

  private let trainer: Trainer
  private let facts: [String: String]
  private let store: CheckpointStore
  private let afterCommit: @Sendable (_ images: Int, _ lastGood: Int?) throws -> [String]
  /// Where the state is copied to, allocated and touched before training begins; nil where it is
  /// not copied.
  private let snapshot: [StateVector]?
  private var save: Save?

  private var communicator: any Communicator { trainer.communicator }

  /// - Parameters:
  ///   - facts: what the manifest says of the data besides the configuration.
  ///   - afterCommit: called on the first rank with the images of a checkpoint that was committed,
  ///     and `SkippedUpdates.lastGood` of that moment; returns lines for the log.
  init(
    _ trainer: Trainer, facts: [String: String], store: CheckpointStore,
    afterCommit: @escaping @Sendable (_ images: Int, _ lastGood: Int?) throws -> [String]
  ) {
    (self.trainer, self.facts, self.store) = (trainer, facts, store)
    self.afterCommit = afterCommit
    let settings = trainer.configuration.checkpoint
    snapshot =
      settings.async && settings.every > 0
      ? trainer.ownState().map { vector in
        StateVector(
          vector.name, vector.pieces.map { Tensor(zeros: [$0.count], on: trainer.context) })
      } : nil
  }

  /// Begins to save the present state. Collective; no save may be under way.
  func begin() throws {
    invariant(save == nil, "CheckpointSaver: a save is under way")
    let (begun, images, store) = (MonotonicClock.now, trainer.imagesSeen, store)
    try communicator.agree {
      if communicator.rank == 0 { try store.beginWrite(images: images) }
    }
    let vectors = stateToWrite()
    let (rank, size, ranges) = (communicator.rank, communicator.size, trainer.savedRanges)
    let (hook, batch) = (trainer.hook, trainer.configuration.train.batch)
    let task = BackgroundTask("writing a shard") {
      let record = try store.writeShard(
        images: images, rank: rank, of: size, ranges: ranges, vectors: vectors)
      hook?.shardIsWritten(StepMoment(images: images, batch: batch, rank: rank))
      return record
    }
    save = Save(
      images: images, lastGood: trainer.skips.lastGood,
      manifest: trainer.manifest(shards: [], vectors: vectors.map(\.name), facts: facts),
      begun: begun, stalled: MonotonicClock.now - begun, stage: .writing(task))
  }

  private func stateToWrite() -> [StateVector] {
    let state = trainer.ownState()
    guard let snapshot else { return state }
    for (copy, vector) in zip(snapshot, state) {
      for (to, from) in zip(copy.pieces, vector.pieces) { to.overwrite(from: from) }
    }
    return snapshot
  }

  /// Goes on with a save that is under way, if all ranks have finished its present stage.
  /// Collective; called after each step.
  ///
  /// - Returns: the save, if it is complete now.
  func advance() throws -> Saved? {
    guard let current = save else { return nil }
    let isDone =
      switch current.stage {
      case .writing(let task): task.isDone
      case .committing(let task): task.isDone
      }
    guard try communicator.allRanks(isDone) else { return nil }
    return try next(after: current)
  }

  /// Waits for the save that is under way. Collective.
  ///
  /// - Returns: nil where there was none.
  func finish() throws -> Saved? {
    while let current = save {
      if let saved = try next(after: current) { return saved }
    }
    return nil
  }

  /// Waits for the result of the present stage, and starts the next stage.
  private func next(after current: Save) throws -> Saved? {
    let begun = MonotonicClock.now
    do {
      switch current.stage {
      case .writing(let task):
        let record = try communicator.agree(on: task.wait())
        let records = try communicator.gather(Array(JSONEncoder().encode(record)))
        save?.stage = .committing(try commit(current, records))
        save?.stalled += MonotonicClock.now - begun
        return nil
      case .committing(let task):
        let notes = try communicator.agree(on: task.wait())
        save = nil
        return Saved(
          images: current.images, seconds: MonotonicClock.now - current.begun,
          stalled: current.stalled + MonotonicClock.now - begun, notes: notes)
      }
    } catch {
      save = nil
      // A part of a checkpoint would only take disk space.
      if communicator.rank == 0 { try? store.abandonWrite(images: current.images) }
      throw error
    }
  }

  private func commit(_ save: Save, _ records: [[UInt8]]) throws -> BackgroundTask<[String]> {
    guard communicator.rank == 0 else { return BackgroundTask(done: []) }
    let shards = try records.map { try JSONDecoder().decode(ShardRecord.self, from: Data($0)) }
    let (manifest, store, afterCommit) = (save.manifest.with(shards: shards), store, afterCommit)
    return BackgroundTask("committing") {
      try store.commit(manifest)
      return try afterCommit(save.images, save.lastGood)
    }
  }
}
