import Checkpoints
import CommandSupport
import Foundation
import TensorCore

extension Trainer {
  /// The parameters as files know them.
  package var table: ParameterTable { task.sets.table }

  /// Each replica, and where its flat range begins in a checkpoint's vectors.
  private var placed: [(replica: TrainState, start: Int)] {
    var start = 0
    return replicas.map { replica in
      defer { start += replica.parameters.flatCount }
      return (replica, start)
    }
  }

  private func ownRanges(_ replica: TrainState) -> [Range<Int>] {
    replica.savedRanges(rank: communicator.rank, of: communicator.size)
  }

  /// The parts of every flat vector that this rank saves.
  var savedRanges: [Range<Int>] {
    placed.flatMap { replica, start in
      ownRanges(replica).map { $0.lowerBound + start..<$0.upperBound + start }
    }
  }

  /// What this rank saves of the state: its own ranges of every flat vector, which training changes.
  func ownState() -> [StateVector] {
    let names =
      [VectorName.weights, VectorName.firstMoment, VectorName.secondMoment]
      + model.averages.map { VectorName.ema($0.name) }
    return names.map { name in
      StateVector(name, replicas.flatMap { $0.pieces(of: name, in: ownRanges($0)) })
    }
  }

  /// The manifest of a save at this moment, but for the shards.
  package func manifest(shards: [ShardRecord], vectors: [String], facts: [String: String])
    -> Manifest
  {
    Manifest(
      imagesSeen: imagesSeen, vectors: vectors,
      configuration: configuration.dotted.merging(facts) { $1 },
      build: Build.description(kernels: context.kernels.level),
      progress: replicas.reduce(into: ["skipped_updates": Double(skippedUpdates)]) {
        $0["\($1.prefix)updates"] = Double($1.adam.updates)
      },
      state: task.state.isEmpty ? nil : task.state.mapValues(Self.text),
      table: table, shards: shards)
  }

  private static func text(_ values: [Float]) -> String {
    values.withUnsafeBytes { Data($0) }.base64EncodedString()
  }

  private static func values(_ text: String) -> [Float]? {
    Data(base64Encoded: text).map { data in
      data.withUnsafeBytes { bytes in
        (0..<data.count / 4).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
      }
    }
  }

  /// Takes the state over from a checkpoint that any number of ranks wrote.
  package func load(_ checkpoint: CheckpointReader) throws {
    let progress = checkpoint.manifest.progress
    for (replica, start) in placed {
      try replica.load(checkpoint, at: start)
      replica.adam.updates = Int(progress["\(replica.prefix)updates"] ?? 0)
    }
    imagesSeen = checkpoint.manifest.imagesSeen
    skippedUpdates = Int(progress["skipped_updates"] ?? 0)
    task.state = (checkpoint.manifest.state ?? [:]).compactMapValues(Self.values)
  }

  /// Copies the first rank's weights to all, and checks that every rank then holds the same state.
  func synchronize() throws {
    for replica in replicas { try communicator.broadcast(replica.parameters.weights) }
    try compareReplicas()
  }

  /// Throws, on every rank, where the replicas are no longer equal. Collective.
  func compareReplicas() throws {
    for replica in replicas { try replica.compare(over: communicator) }
  }
}
