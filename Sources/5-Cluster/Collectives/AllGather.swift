import TensorCore

/// Brings together a flat tensor of which each rank holds its pieces of the buckets.
package struct AllGather {
  private let buckets: GradientBuckets
  private let communicator: any Communicator

  package init(_ buckets: GradientBuckets, over communicator: any Communicator) {
    (self.buckets, self.communicator) = (buckets, communicator)
  }

  /// Fills in the other ranks' pieces, in place, bit for bit. Collective.
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
