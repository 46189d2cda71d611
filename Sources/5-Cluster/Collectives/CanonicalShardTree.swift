import TensorCore

/// The lower part of the tree over canonical shards: the sums of those that one rank runs.
///
/// Shard i joins as many complete subtrees on its left as i has trailing ones, so that sums of 1, 2, 4...
/// shards wait at their levels: as many buffers as the tree has levels.
final class CanonicalShardTree {
  private let gradients: Tensor
  /// Where the sum of all shards goes: the gradients themselves, or bf16 for the wire.
  let output: Tensor
  /// Sums of 2^level shards.
  private let levels: [Tensor]
  private let shardCount: Int

  /// - Parameter wire: the type of every edge above a shard.
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

  /// Takes the gradients of shard `index`, which is not the last.
  func store(shard index: Int) {
    invariant(
      index + 1 < shardCount, "CanonicalShardTree: shard \(index) of \(shardCount) is the last")
    let joined = (~index).trailingZeroBitCount
    join(
      levels.prefix(joined), 0..<gradients.count, into: levels[joined],
      Split(context: gradients.context))
  }

  /// Joins elements `range` of the last shard's gradients with all that waits, into `output`.
  ///
  /// - Parameter run: splits a count of elements over threads.
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

/// Who computes sums: the threads of an context, or the calling one alone.
struct Split {
  /// Nil: the calling thread.
  let context: ComputeContext?

  func callAsFunction(_ count: Int, _ body: (_ begin: Int64, _ end: Int64) -> Void) {
    if let context { context.forElements(count, body) } else { body(0, Int64(count)) }
  }
}
