import Autodiff
import Checkpoints
import Collectives
import Optimization
import TensorCore

extension Trainer {
  /// The parameters as files know them.
  var table: ParameterTable { parameters.table }

  /// What this rank saves of the state: its own ranges of every flat vector, which training changes.
  func ownState() -> [StateVector] {
    let ranges = OwnedRanges(savedRanges)
    func all(_ flat: Tensor) -> [Tensor] { ranges.views(ofFlat: flat) }
    // A sharded rank holds what it saves and nothing else.
    func kept(_ tensor: Tensor) -> [Tensor] { isSharded ? [tensor] : all(tensor) }
    return [
      StateVector(VectorName.weights, all(parameters.weights)),
      StateVector(VectorName.firstMoment, kept(adam.first)),
      StateVector(VectorName.secondMoment, kept(adam.second)),
    ] + averages.map { StateVector(VectorName.ema($0.name), kept($0.values)) }
  }

  /// The manifest of a save at this moment, but for the shards.
  func manifest(shards: [ShardRecord], vectors: [String], facts: [String: String]) -> Manifest {
    Manifest(
      imagesSeen: imagesSeen, vectors: vectors,
      configuration: configuration.dotted.merging(facts) { $1 },
      build: Build.description(kernels: engine.kernels.level),
      progress: [
        "updates": Double(adam.updates), "skipped_updates": Double(skippedUpdates),
      ],
      table: table, shards: shards)
  }

  /// Takes the state over from a checkpoint that any number of ranks wrote.
  func load(_ checkpoint: CheckpointReader) throws {
    try checkpoint.read(
      VectorName.weights, 0..<parameters.flatCount, into: parameters.weights)
    let kept =
      [(VectorName.firstMoment, adam.first), (VectorName.secondMoment, adam.second)]
      + averages.map { (VectorName.ema($0.name), $0.values) }
    for (name, tensor) in kept {
      for (range, piece) in zip(adam.owned.pieces, adam.owned.views(ofKept: tensor)) {
        try checkpoint.read(name, range, into: piece)
      }
    }
    imagesSeen = checkpoint.manifest.imagesSeen
    adam.updates = Int(checkpoint.manifest.progress["updates"] ?? 0)
    skippedUpdates = Int(checkpoint.manifest.progress["skipped_updates"] ?? 0)
  }

  /// Copies the first rank's weights to all, and checks that every rank then holds the same state.
  func synchronize() throws {
    try communicator.broadcast(parameters.weights)
    try compareReplicas()
  }

  /// Throws, on every rank, where the replicas are no longer equal. Collective.
  func compareReplicas() throws {
    var vectors = [(VectorName.weights, parameters.weights)]
    if !isSharded {
      vectors += [(VectorName.firstMoment, adam.first), (VectorName.secondMoment, adam.second)]
      vectors += averages.map { (VectorName.ema($0.name), $0.values) }
    }
    for (name, tensor) in vectors {
      let digest = tensor.withBytes { Checksum.digest(of: UnsafeRawBufferPointer($0)) }
      try communicator.requireEqual(Array(digest.utf8), of: "the replicas' \(name)")
    }
  }

  /// The parts of every flat vector that this rank saves; each begins and ends at whole blocks.
  var savedRanges: [Range<Int>] {
    if isSharded { return adam.owned.pieces }
    let (count, block) = (parameters.flatCount, GradientBuckets.granule)
    let blocks = (count + block - 1) / block
    func start(_ rank: Int) -> Int { min(blocks * rank / communicator.size * block, count) }
    return [start(communicator.rank)..<start(communicator.rank + 1)]
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
