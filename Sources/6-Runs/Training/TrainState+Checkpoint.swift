import Checkpoints
import Collectives
import Optimization
import SystemSupport
import TensorCore

extension TrainState {
  /// The parts of every flat vector that a rank saves; each begins and ends at whole blocks.
  func savedRanges(rank: Int, of size: Int) -> [Range<Int>] {
    if isSharded { return adam.owned.pieces }
    let (count, block) = (parameters.flatCount, GradientBuckets.granule)
    let blocks = (count + block - 1) / block
    func start(_ rank: Int) -> Int { min(blocks * rank / size * block, count) }
    return [start(rank)..<start(rank + 1)]
  }

  /// What is saved of a flat vector.
  ///
  /// - Parameter name: of an average that this set does not have: its weights stand in for it.
  func pieces(of name: String, in ranges: [Range<Int>]) -> [Tensor] {
    let saved = OptimizerPartition(ranges)
    // A sharded rank holds what it saves and nothing else.
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

  /// Takes the state over from a checkpoint that any number of ranks wrote.
  ///
  /// - Parameter start: of this set in the checkpoint's flat vectors.
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

  /// Throws, on every rank, where the replicas are no longer equal. Collective.
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
