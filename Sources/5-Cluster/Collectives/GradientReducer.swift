import Foundation
import SystemSupport
import TensorCore

/// All-reduces flat gradients over the ranks, bucket by bucket and in place, while backward still
/// runs. There is one reducer per parameter set (PyTorch: DistributedDataParallel).
///
/// The course of a step: call `endShard` after each canonical shard. While the backward pass of the
/// last shard runs, call `markReady` for each range whose gradient will not change any more, and
/// `progress` between operators. Then `finish` returns when all gradients (or this rank's pieces of
/// them) are summed. A bucket is sent as soon as it and all buckets before it are ready, so every
/// rank sends in the same order.
///
/// ```swift
/// import Collectives
/// import TensorCore
///
/// let communicator = SingleCommunicator()
/// let gradients = Tensor(zeros: [100_000], on: ComputeContext())
/// let reducer = GradientReducer(
///   gradients, buckets: GradientBuckets(count: 100_000, bucketMB: 0.1), over: communicator)
/// reducer.endShard()
/// reducer.markReady(0..<100_000)
/// try reducer.finish()
/// print(reducer.lap().exposed)  // seconds that backward did not hide
/// ```
package final class GradientReducer {
  /// How many buckets are summed at once.
  package static var bucketsInFlight: Int { BucketsInFlight.limit }

  /// The buckets of the gradients.
  package let buckets: GradientBuckets
  /// How gradients are added up.
  package let method: ReductionMethod
  private let communicator: any Communicator
  private let flight: BucketProgress
  private let tree: CanonicalShardTree
  private var shardsDone = 0
  /// For each bucket, how many elements are not ready yet.
  private var missing: [Int]
  /// How many buckets have been sent.
  private var started = 0

  /// Seconds that messages were in flight while backward ran, since the last lap.
  private var hidden = 0.0
  /// Seconds that `finish` took, since the last lap.
  private var exposed = 0.0

  /// Creates a reducer.
  ///
  /// - Parameters:
  ///   - gradients: all flat gradients, f32.
  ///   - buckets: their buckets.
  ///   - method: how they are added up.
  ///   - communicator: the ranks.
  package init(
    _ gradients: Tensor, buckets: GradientBuckets, method: ReductionMethod = ReductionMethod(),
    over communicator: any Communicator
  ) {
    invariant(
      gradients.count == buckets.count && gradients.dtype == .float32,
      "GradientReducer: \(gradients.shape) \(gradients.dtype) for buckets of \(buckets.count)")
    var method = method
    // With one rank nothing travels, so nothing is rounded on the way.
    if communicator.size == 1 && method.order == .fast { method.wire = .float32 }
    (self.buckets, self.method, self.communicator) = (buckets, method, communicator)
    let tree = CanonicalShardTree(gradients, shards: method.localShards, wire: method.wire)
    self.tree = tree
    missing = buckets.ranges.map(\.count)
    let context = gradients.context
    // One rank sends nothing; it has something to add only in a tree over shards.
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

  /// The parts of the flat gradients whose sum arrives at this rank: all of them, or this rank's
  /// piece of each bucket.
  package var ownPartition: [Range<Int>] {
    guard method.reduceScatters else { return buckets.count > 0 ? [0..<buckets.count] : [] }
    return buckets.ranges.indices
      .map { buckets.pieces(of: $0, ranks: communicator.size)[communicator.rank] }
      .filter { !$0.isEmpty }
  }

  /// Reports that the buffer holds the gradients of the step's next canonical shard. The buffer may
  /// then be overwritten, unless it was the last shard.
  package func endShard() {
    if shardsDone + 1 < method.localShards { tree.store(shard: shardsDone) }
    shardsDone += 1
  }

  /// Reports that the gradients in `range` are complete on this rank; each element once per step.
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

  /// Sums the buckets that were not sent yet, waits for all, and prepares for the next step.
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

  /// Seconds of communication since the last call: hidden behind backward, and exposed, while
  /// nothing else could be done.
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
