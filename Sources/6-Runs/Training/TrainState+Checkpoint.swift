import Checkpoints
import Collectives
import Optimization
import SystemSupport
import TensorCore

extension TrainState {
  /// The ranges of every flat vector that a rank saves, in elements; each begins and ends at a
  /// whole block.
  func savedRanges(rank: Int, of size: Int) -> [Range<Int>] {
    if isSharded { return adam.owned.pieces }
    let (count, block) = (parameters.flatCount, GradientBuckets.granule)
    let blocks = (count + block - 1) / block
    func start(_ rank: Int) -> Int { min(blocks * rank / size * block, count) }
    return [start(rank)..<start(rank + 1)]
  }

  /// What this rank saves of a flat vector, as views.
  ///
  /// - Parameter name: where it names an average that this set does not have, the weights are saved
  ///   in its place.
  func pieces(of name: String, in ranges: [Range<Int>]) -> [Tensor] {
    let saved = OptimizerPartition(ranges)
    // With a sharded optimiser a rank holds exactly what it saves.
    func kept(_ tensor: Tensor) -> [Tensor] {
      isSharded ? adam.owned.views(ofKept: tensor) : saved.views(ofFlat: tensor)
    }
    switch name {
    case VectorName.firstMoment: return kept(adam.first)
    case VectorName.secondMoment: return kept(adam.second)
    default:
      let average = averages.first { VectorName.ema($0.name) == name }
      return average.map { kept($0.values) } ?? saved.views(ofFlat: parameters.weights)
    }
  }

  /// Reads the state from a checkpoint, which any number of ranks may have written.
  ///
  /// - Parameter start: where this set begins in the checkpoint's flat vectors, in elements.
  func load(_ checkpoint: CheckpointReader, at start: Int) throws {
    try checkpoint.read(
      VectorName.weights, start..<start + parameters.flatCount, into: parameters.weights)
    let kept =
      [(VectorName.firstMoment, adam.first), (VectorName.secondMoment, adam.second)]
      + averages.map { (VectorName.ema($0.name), $0.values) }
    for (name, tensor) in kept {
      for (range, piece) in zip(adam.owned.pieces, adam.owned.views(ofKept: tensor)) {
        try checkpoint.read(name, range.lowerBound + start..<range.upperBound + start, into: piece)
      }
    }
  }

  /// Throws, on every rank, where the ranks no longer hold the same state. Collective.
  func compare(over communicator: any Communicator) throws {
    var vectors = [(VectorName.weights, parameters.weights)]
    if !isSharded {
      vectors += [(VectorName.firstMoment, adam.first), (VectorName.secondMoment, adam.second)]
      vectors += averages.map { (VectorName.ema($0.name), $0.values) }
    }
    for (name, tensor) in vectors {
      let digest = tensor.withBytes { Checksum.digest(of: UnsafeRawBufferPointer($0)) }
      try communicator.requireEqual(Array(digest.utf8), of: "the replicas' \(prefix)\(name)")
    }
  }
}
