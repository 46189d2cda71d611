import TensorCore

/// The parts of a flat range whose optimiser state one rank holds: all of it, or its pieces where the
/// state is sharded. Moments and averages keep these parts alone, one after the other.
public struct OptimizerPartition: Sendable, Equatable {
  /// Elements of the flat range, in rising order; all but the last end at whole blocks of 4,096.
  public let pieces: [Range<Int>]
  /// Where each piece begins in what is kept.
  public let offsets: [Int]
  /// Elements kept.
  public let count: Int

  public init(_ pieces: [Range<Int>]) {
    self.pieces = pieces
    var (offsets, count) = ([Int](), 0)
    for piece in pieces {
      offsets.append(count)
      count += piece.count
    }
    (self.offsets, self.count) = (offsets, count)
  }

  /// The whole of a flat range.
  public init(all count: Int) { self.init(count > 0 ? [0..<count] : []) }

  /// Each piece of a flat tensor.
  public func views(ofFlat flat: Tensor) -> [Tensor] {
    pieces.map { flat.view(at: $0.lowerBound, [$0.count]) }
  }

  /// Each piece of a tensor that keeps them alone.
  public func views(ofKept kept: Tensor) -> [Tensor] {
    zip(pieces, offsets).map { kept.view(at: $1, [$0.count]) }
  }
}
