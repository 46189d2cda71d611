import Foundation
import SystemSupport
import TensorCore

/// Adds up a flat gradient buffer over the ranks, bucket by bucket, in place; one a parameter set.
///
/// A step: `endShard` after each canonical shard; while the last one's backward runs, `isFinal` for each
/// range whose gradient will not change any more, in an order of its own, and `progress` between
/// operators; then `finish` returns when the whole buffer is summed (or this rank's pieces of it). A
/// bucket leaves as soon as it and all before it are final, so that every rank sends in the same order.
package final class GradientReducer {
  /// Buckets that are summed at once.
  package static var bucketsInFlight: Int { BucketsInFlight.limit }

  package let buckets: GradientBuckets
  package let method: ReductionMethod
  private let communicator: any Communicator
  private let flight: BucketProgress
  private let tree: CanonicalShardTree
  private var shardsDone = 0
  /// Elements of each bucket that are not final yet.
  private var missing: [Int]
  /// Buckets that have left.
  private var started = 0

  /// Seconds that messages were under way while backward ran, and that `finish` took, since the last lap.
  private var hidden = 0.0
  private var exposed = 0.0

  /// - Parameter gradients: f32, the whole flat range.
  package init(
    _ gradients: Tensor, buckets: GradientBuckets, method: ReductionMethod = ReductionMethod(),
    over communicator: any Communicator
  ) {
    invariant(
      gradients.count == buckets.count && gradients.dtype == .float32,
      "GradientReducer: \(gradients.shape) \(gradients.dtype) for buckets of \(buckets.count)")
    var method = method
    // Nothing travels, so nothing is rounded on the way.
    if communicator.size == 1 && method.order == .fast { method.wire = .float32 }
    (self.buckets, self.method, self.communicator) = (buckets, method, communicator)
    let tree = CanonicalShardTree(gradients, shards: method.localShards, wire: method.wire)
    self.tree = tree
    missing = buckets.ranges.map(\.count)
    let context = gradients.context
    // One rank sends nothing; only a tree has something to do.
    let travels = communicator.size > 1 || method.order == .tree
    let start: BucketStart = { (bucket, run) throws(CommunicationError) in
      guard travels else { return nil }
      tree.fold(buckets.ranges[bucket], run)
      return try BucketSum(
        bucket, of: buckets, gradients: gradients, wire: tree.output, method: method,
        over: communicator)
    }
    flight = BucketProgress(
      withThread: method.progress == .thread && communicator.size > 1, Split(context: context),
      start)
  }

  deinit { flight.stop() }

  /// The parts of the flat range whose sum arrives here: all of it, or this rank's piece of each bucket.
  package var ownPartition: [Range<Int>] {
    guard method.reduceScatters else { return buckets.count > 0 ? [0..<buckets.count] : [] }
    return buckets.ranges.indices
      .map { buckets.pieces(of: $0, ranks: communicator.size)[communicator.rank] }
      .filter { !$0.isEmpty }
  }

  /// Tells that the gradients of one more of the step's canonical shards are in the buffer, which may then
  /// be overwritten, unless it was the last.
  package func endShard() {
    if shardsDone + 1 < method.localShards { tree.store(shard: shardsDone) }
    shardsDone += 1
  }

  /// Tells that the gradients in `range` are complete on this rank; each element once a step.
  package func markReady(_ range: Range<Int>) {
    for index in buckets.indices(touching: range) {
      missing[index] -= range.clamped(to: buckets.ranges[index]).count
      invariant(missing[index] >= 0, "GradientReducer: \(range) became final twice in a step")
    }
    guard method.progress != .none else { return }
    while started < missing.count && missing[started] == 0 { startNext() }
  }

  /// Lets sums in flight advance.
  package func progress() { flight.progress() }

  /// Sums what has not left yet, waits for the rest, and makes ready for the next step.
  package func finish() throws(CommunicationError) {
    invariant(
      shardsDone == method.localShards, "finish: \(shardsDone) of \(method.localShards) shards")
    let begun = now
    hidden += flight.busySeconds(until: begun)
    while started < buckets.ranges.count { startNext() }
    try flight.finish()
    exposed += now - begun
    (started, shardsDone) = (0, 0)
    missing = buckets.ranges.map(\.count)
  }

  /// Seconds of communication since the last call: behind backward, and with nothing else to do.
  package func lap() -> (hidden: Double, exposed: Double) {
    defer { (hidden, exposed) = (0, 0) }
    return (hidden, exposed)
  }

  private func startNext() {
    flight.start(bucket: started)
    started += 1
  }

  private var now: Double { MonotonicClock.now }
}
