import TensorCore

/// All-gathers a flat tensor of which each rank holds its pieces of the buckets: afterwards every
/// rank holds all of it.
package struct AllGather {
  private let buckets: GradientBuckets
  private let communicator: any Communicator

  /// An all-gather of tensors with these buckets.
  package init(_ buckets: GradientBuckets, over communicator: any Communicator) {
    (self.buckets, self.communicator) = (buckets, communicator)
  }

  /// Number of ranks, and which one this is.
  package var ranks: Int { communicator.size }
  package var rank: Int { communicator.rank }

  /// Fills in pieces that have nothing to do with buckets, one consecutive range per rank.
  /// Collective.
  package func share(_ flat: Tensor, pieces: [Range<Int>]) throws(CommunicationError) {
    try communicator.startAllToAll(
      AllToAll(sharing: flat, pieces: pieces, from: communicator.rank, tag: 0)
    ).wait()
  }

  /// Fills in the pieces of the other ranks, in place, with exactly their bits. Collective.
  package func share(_ flat: Tensor) throws(CommunicationError) {
    invariant(
      flat.count == buckets.count, "AllGather: \(flat.shape) for \(buckets.count) elements")
    var pending: [any PendingMessages] = []
    for bucket in buckets.ranges.indices {
      let pieces = buckets.pieces(of: bucket, ranks: communicator.size)
      pending.append(
        try communicator.startAllToAll(
          AllToAll(
            sharing: flat, pieces: pieces, from: communicator.rank,
            tag: buckets.tag(of: bucket))))
    }
    for messages in pending { try messages.wait() }
  }
}
