import TensorCore

/// Brings together a flat tensor of which each rank holds its pieces of the buckets.
public struct PieceExchange {
  private let buckets: GradientBuckets
  private let communicator: any Communicator

  public init(_ buckets: GradientBuckets, over communicator: any Communicator) {
    (self.buckets, self.communicator) = (buckets, communicator)
  }

  /// Fills in the other ranks' pieces, in place, bit for bit. Collective.
  public func share(_ flat: Tensor) throws(CommunicationError) {
    invariant(
      flat.count == buckets.count, "PieceExchange: \(flat.shape) for \(buckets.count) elements")
    var pending: [any PendingMessages] = []
    for bucket in buckets.ranges.indices {
      let pieces = buckets.pieces(of: bucket, ranks: communicator.size)
      pending.append(
        try communicator.startExchange(
          Exchange(
            sharing: flat, pieces: pieces, from: communicator.rank,
            tag: buckets.tag(of: bucket))))
    }
    for messages in pending { try messages.wait() }
  }
}
