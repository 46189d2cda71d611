import TensorCore

/// How gradients are added up over the ranks.
package struct ReductionMethod: Sendable, Equatable {
  /// In which order.
  package enum Order: Sendable {
    /// As it comes: f32 by the library's own all-reduce, where every rank gets the whole sum.
    case fast
    /// One aligned binary tree over the canonical shards of a batch, whatever rank computed them.
    case tree
  }

  /// Who lets messages advance while backward runs; Open MPI moves only inside its calls.
  package enum Progress: Sendable {
    /// The thread that trains, between operators.
    case calls
    /// A thread of its own as well.
    case thread
    /// Nobody: nothing leaves before backward has ended.
    case none
  }

  package var order = Order.fast
  /// What travels. bf16: each rank's part is rounded, and so is the sum; in a tree every edge above the
  /// shards is, also inside a rank.
  package var wire = DType.float32
  /// Canonical shards that this rank runs, one after the other; a power of two, 1 where the order is fast.
  package var localShards = 1
  /// Each rank receives the sum of its pieces of the buckets alone (ZeRO-1).
  package var reduceScatters = false
  package var progress = Progress.calls

  package init() {}
}
