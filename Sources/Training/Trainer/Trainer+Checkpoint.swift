import Autodiff
import Checkpoints
import Collectives
import Foundation
import TensorCore

extension Trainer {
  /// The parameters as files know them.
  var table: ParameterTable { parameters.table }

  /// The flat vectors that make up the state, by name.
  private var vectors: [StateVector] {
    [
      StateVector(VectorName.weights, parameters.weights),
      StateVector(VectorName.firstMoment, adam.first),
      StateVector(VectorName.secondMoment, adam.second),
    ] + averages.map { StateVector(VectorName.ema($0.name), $0.values) }
  }

  /// Writes the state: every rank its range, the first rank the manifest. Collective; where one rank
  /// fails all throw, and older checkpoints stay as they were.
  ///
  /// - Parameter facts: what the manifest says of the run beside its configuration.
  func save(to store: CheckpointStore, facts: [String: String]) throws {
    do {
      try write(to: store, facts: facts)
    } catch {
      // What there is of it would only take room.
      if communicator.rank == 0 { try? store.abandonWrite(images: imagesSeen) }
      throw error
    }
  }

  private func write(to store: CheckpointStore, facts: [String: String]) throws {
    try communicator.agree {
      if communicator.rank == 0 { try store.beginWrite(images: imagesSeen) }
    }
    let range = ownRange
    let record = try communicator.agree {
      try store.writeShard(
        images: imagesSeen, rank: communicator.rank, of: communicator.size, range: range,
        vectors: vectors.map {
          StateVector($0.name, $0.values.view(at: range.lowerBound, [range.count]))
        })
    }
    let records = try communicator.gather(Array(JSONEncoder().encode(record)))
    try communicator.agree {
      guard communicator.rank == 0 else { return }
      let shards = try records.map { try JSONDecoder().decode(ShardRecord.self, from: Data($0)) }
      try store.commit(
        Manifest(
          imagesSeen: imagesSeen, vectors: vectors.map(\.name),
          configuration: configuration.dotted.merging(facts) { $1 },
          build: Build.description(kernels: engine.kernels.level),
          progress: [
            "updates": Double(adam.updates), "skipped_updates": Double(skippedUpdates),
          ],
          table: table, shards: shards))
    }
  }

  /// Takes the state over from a checkpoint that any number of ranks wrote.
  func load(_ checkpoint: CheckpointReader) throws {
    let all = 0..<parameters.flatCount
    for vector in vectors { try checkpoint.read(vector.name, all, into: vector.values) }
    imagesSeen = checkpoint.manifest.imagesSeen
    adam.updates = Int(checkpoint.manifest.progress["updates"] ?? 0)
    skippedUpdates = Int(checkpoint.manifest.progress["skipped_updates"] ?? 0)
  }

  /// Copies the first rank's weights to all, and checks that every rank then holds the same state.
  func synchronize() throws {
    try communicator.broadcast(parameters.weights)
    for vector in vectors {
      let digest = vector.values.withBytes { Checksum.digest(of: UnsafeRawBufferPointer($0)) }
      try communicator.requireEqual(Array(digest.utf8), of: "the replicas' \(vector.name)")
    }
  }

  /// The part of every flat vector that this rank saves; it begins and ends at whole blocks.
  private var ownRange: Range<Int> {
    let (count, block) = (parameters.flatCount, GradientBuckets.granule)
    let blocks = (count + block - 1) / block
    func start(_ rank: Int) -> Int { min(blocks * rank / communicator.size * block, count) }
    return start(communicator.rank)..<start(communicator.rank + 1)
  }
}

extension ParameterSet {
  /// The parameters as files know them: PyTorch's names and shapes, and their place in the flat ranges.
  var table: ParameterTable {
    ParameterTable(
      flatOrder.map {
        ParameterEntry(
          name: $0.name, shape: $0.layout.fileShape($0.shape).dimensions, layout: $0.layout,
          offset: $0.offset)
      }, flatCount: flatCount)
  }
}
