import TensorCore

/// The lower part of the binary tree over the canonical shards of a batch: it sums the gradients of
/// the shards that one rank runs, in an order that does not depend on the number of ranks.
///
/// A canonical shard is a fixed part of the global batch. Shard i joins as many complete subtrees
/// on its left as the number i has trailing one bits. Sums of 1, 2, 4, ... shards therefore wait at
/// their levels, which takes one buffer per level.
///
/// ```swift
/// import Collectives
/// import TensorCore
///
/// // A rank that runs two of a batch's canonical shards, one after the other.
/// let gradients = Tensor(zeros: [4096], on: ComputeContext())
/// var method = ReductionMethod()
/// (method.order, method.localShards) = (.tree, 2)
/// let reducer = GradientReducer(
///   gradients, buckets: GradientBuckets(count: 4096, bucketMB: 1), method: method,
///   over: SingleCommunicator())
/// for shard in 1...2 {
///   gradients.fill(Float(shard))
///   reducer.endShard()
/// }
/// try reducer.finish()
/// print(gradients.floats[0])  // 3.0
/// ```
final class CanonicalShardTree {
  private let gradients: Tensor
  /// Receives the sum of all shards: the gradients themselves, or a bf16 tensor to send.
  let output: Tensor
  /// Sums of 2^level shards.
  private let levels: [Tensor]
  private let shardCount: Int

  /// A tree over `shards` shards, a power of two, whose gradients appear in `gradients` one after
  /// the other.
  ///
  /// - Parameters:
  ///   - gradients: f32, flat.
  ///   - shards: how many canonical shards this rank runs.
  ///   - wire: the type of every sum above a shard.
  init(_ gradients: Tensor, shards: Int, wire: DType) {
    invariant(
      shards > 0 && shards.nonzeroBitCount == 1,
      "CanonicalShardTree: \(shards) shards, not a power of two")
    self.gradients = gradients
    shardCount = shards
    let context = gradients.context
    output = wire == .float32 ? gradients : Tensor(gradients.shape, wire, on: context)
    levels = (0..<shards.trailingZeroBitCount).map { _ in Tensor(gradients.shape, wire, on: context)
    }
  }

  /// Takes over the gradients of shard `index`, which is not the last one.
  func store(shard index: Int) {
    invariant(
      index + 1 < shardCount, "CanonicalShardTree: shard \(index) of \(shardCount) is the last")
    let joined = (~index).trailingZeroBitCount
    join(
      levels.prefix(joined), 0..<gradients.count, into: levels[joined],
      Split(context: gradients.context))
  }

  /// Adds everything that waits to elements `range` of the last shard's gradients; the sum goes to
  /// `output`.
  ///
  /// - Parameters:
  ///   - range: elements of the flat gradients.
  ///   - run: splits the elements over threads.
  func fold(_ range: Range<Int>, _ run: Split) {
    join(levels[...], range, into: output, run)
  }

  private func join(
    _ joined: ArraySlice<Tensor>, _ range: Range<Int>, into result: Tensor, _ run: Split
  ) {
    let kernels = gradients.context.kernels[result.dtype]
    let start = Int64(range.lowerBound)
    var mine = gradients
    withElements(gradients, result) { from, to in
      if result.dtype == .bfloat16 {
        let floats = from.assumingMemoryBound(to: Float.self)
        run(range.count) { kernels.from_f32(floats, start + $0, start + $1, to) }
        mine = result
      } else if joined.isEmpty && result.storage !== gradients.storage {
        let bytes = 4 * range.lowerBound..<4 * range.upperBound
        (to + bytes.lowerBound).copyMemory(
          from: from + bytes.lowerBound, byteCount: bytes.count)
      }
    }
    for level in joined {
      withElements(level, mine, result) { waiting, mine, to in
        run(range.count) { kernels.add(waiting, mine, start + $0, start + $1, to) }
      }
      mine = result
    }
  }
}

/// The threads that compute a sum: those of a context, or only the calling thread.
struct Split {
  /// The context whose threads are used; nil for only the calling thread.
  let context: ComputeContext?

  func callAsFunction(_ count: Int, _ body: (_ begin: Int64, _ end: Int64) -> Void) {
    if let context { context.forElements(count, body) } else { body(0, Int64(count)) }
  }
}
