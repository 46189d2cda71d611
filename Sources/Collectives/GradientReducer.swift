import TensorCore

/// Adds up a flat gradient buffer over the ranks, bucket by bucket, in place; one a parameter set.
///
/// A step: backward calls `isFinal` for each range whose gradient will not change any more, in an
/// order of its own; then `finish` returns when the whole buffer is summed. With `overlap`, a bucket
/// leaves as soon as it and all before it are final, so that every rank sends in the same order;
/// without, all leave in `finish`, which then needs no events.
public final class GradientReducer {
  public let buckets: GradientBuckets
  private let gradients: Tensor
  private let communicator: any Communicator
  private let overlap: Bool
  /// Elements of each bucket that are not final yet.
  private var missing: [Int]
  /// Sums that have left, one a bucket from the first on.
  private var pending: [any PendingSum] = []

  /// - Parameter gradients: f32, the whole flat range.
  public init(
    _ gradients: Tensor, buckets: GradientBuckets, over communicator: any Communicator,
    overlap: Bool = false
  ) {
    invariant(
      gradients.count == buckets.count && gradients.dtype == .float32,
      "GradientReducer: \(gradients.shape) \(gradients.dtype) for buckets of \(buckets.count)")
    (self.gradients, self.buckets, self.communicator) = (gradients, buckets, communicator)
    self.overlap = overlap
    missing = buckets.ranges.map(\.count)
  }

  /// Tells that the gradients in `range` are complete on this rank; each element once a step.
  public func isFinal(_ range: Range<Int>) throws(CommunicationError) {
    for index in buckets.indices(touching: range) {
      missing[index] -= range.clamped(to: buckets.ranges[index]).count
      invariant(missing[index] >= 0, "GradientReducer: \(range) became final twice in a step")
    }
    guard overlap else { return }
    while pending.count < missing.count && missing[pending.count] == 0 { try startNext() }
  }

  /// Lets sums in flight advance.
  public func progress() throws(CommunicationError) {
    for sum in pending { _ = try sum.isComplete() }
  }

  /// Sums what has not left yet, waits for the rest, and makes ready for the next step.
  public func finish() throws(CommunicationError) {
    if overlap {
      // Not the blocking sum: it does not match another rank's sum that left early.
      while pending.count < buckets.ranges.count { try startNext() }
      for sum in pending { try sum.wait() }
      pending = []
    } else {
      for index in buckets.ranges.indices { try communicator.sum(bucket(index)) }
    }
    missing = buckets.ranges.map(\.count)
  }

  private func startNext() throws(CommunicationError) {
    pending.append(try communicator.startSum(bucket(pending.count)))
  }

  private func bucket(_ index: Int) -> Tensor {
    let range = buckets.ranges[index]
    return gradients.view(at: range.lowerBound, [range.count])
  }
}
