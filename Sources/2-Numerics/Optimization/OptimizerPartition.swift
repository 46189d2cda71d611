import TensorCore

/// The parts of the flat weights whose optimiser state one rank holds: all of them, or only its
/// parts if the state is sharded (ZeRO stage 1). Moments and averages store only these parts, one
/// after the other.
public struct OptimizerPartition: Sendable, Equatable {
  /// The parts, as element ranges of the flat weights in rising order. All but the last end at
  /// whole blocks of 4,096.
  public let pieces: [Range<Int>]
  /// For each part, the index of its first element in the stored tensors.
  public let offsets: [Int]
  /// How many elements are stored.
  public let count: Int

  /// A partition of these parts.
  public init(_ pieces: [Range<Int>]) {
    self.pieces = pieces
    var (offsets, count) = ([Int](), 0)
    for piece in pieces {
      offsets.append(count)
      count += piece.count
    }
    (self.offsets, self.count) = (offsets, count)
  }

  /// The whole of a flat tensor of `count` elements.
  public init(all count: Int) { self.init(count > 0 ? [0..<count] : []) }

  /// A view of each part in a flat tensor.
  public func views(ofFlat flat: Tensor) -> [Tensor] {
    pieces.map { flat.view(at: $0.lowerBound, [$0.count]) }
  }

  /// A view of each part in a tensor that stores only the parts.
  public func views(ofKept kept: Tensor) -> [Tensor] {
    zip(pieces, offsets).map { kept.view(at: $1, [$0.count]) }
  }
}
