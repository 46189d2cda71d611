import Checkpoints
import CommandSupport
import Foundation
import Optimization
import TensorCore

extension Trainer {
  /// Names, shapes and places of all parameters, as files have them.
  package var table: ParameterTable { task.sets.table }

  /// Each state, and where its flat range begins in a checkpoint's vectors, in elements.
  private var withOffsets: [(state: TrainState, start: Int)] {
    var start = 0
    return states.map { state in
      defer { start += state.parameters.flatCount }
      return (state, start)
    }
  }

  private func ownRanges(_ state: TrainState) -> [Range<Int>] {
    state.savedRanges(rank: communicator.rank, of: communicator.size)
  }

  /// The ranges of every flat vector that this rank saves, in elements.
  var savedRanges: [Range<Int>] {
    withOffsets.flatMap { state, start in
      ownRanges(state).map { $0.lowerBound + start..<$0.upperBound + start }
    }
  }

  /// What this rank saves: its own ranges of every flat vector, as views of memory that training
  /// changes.
  func ownState() -> [StateVector] {
    let names =
      [VectorName.weights, VectorName.firstMoment, VectorName.secondMoment]
      + model.averages.map { VectorName.ema($0.name) }
    return names.map { name in
      StateVector(name, states.flatMap { $0.pieces(of: name, in: ownRanges($0)) })
    }
  }

  /// The manifest of a save at this moment.
  ///
  /// - Parameters:
  ///   - shards: the ranks' files; they are added when all are written.
  ///   - facts: what the manifest says of the data besides the configuration.
  package func manifest(shards: [ShardRecord], vectors: [String], facts: [String: String])
    -> Manifest
  {
    Manifest(
      imagesSeen: imagesSeen, vectors: vectors,
      configuration: configuration.dotted.merging(facts) { $1 },
      build: Build.description(kernels: context.kernels.level),
      progress: states.reduce(into: skips.progress) {
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
      [Float](unsafeUninitializedCapacity: data.count / 4) { values, count in
        count = data.copyBytes(to: values) / 4
      }
    }
  }

  /// Reads the state from a checkpoint, which any number of ranks may have written.
  package func load(_ checkpoint: CheckpointReader) throws {
    let progress = checkpoint.manifest.progress
    for (state, start) in withOffsets {
      try state.load(checkpoint, at: start)
      state.adam.updates = Int(progress["\(state.prefix)updates"] ?? 0)
    }
    imagesSeen = checkpoint.manifest.imagesSeen
    skips = SkippedUpdates(progress: progress)
    task.state = (checkpoint.manifest.state ?? [:]).compactMapValues(Self.values)
  }

  /// Copies the first rank's weights to all, and checks that every rank then holds the same state.
  func synchronize() throws {
    for state in states { try communicator.broadcast(state.parameters.weights) }
    try compareRanks()
  }

  /// Throws, on every rank, where the ranks no longer hold the same state. Collective.
  func compareRanks() throws {
    for state in states { try state.compare(over: communicator) }
  }
}
