import TensorCore

/// How gradients are added up over the ranks.
package struct ReductionMethod: Sendable, Equatable {
  /// The order of additions.
  package enum Order: Sendable {
    /// Any order: f32 gradients go through the library's own all-reduce, unless each rank gets only
    /// its pieces.
    case fast
    /// One fixed binary tree over the canonical shards of a batch, whichever rank computed them, so
    /// that the bits do not depend on the number of ranks.
    case tree
  }

  /// Who lets messages advance while backward runs. Open MPI makes progress only inside its calls.
  package enum Progress: Sendable {
    /// The training thread, between operators.
    case calls
    /// The training thread and a thread that does nothing else.
    case thread
    /// Nobody: nothing is sent before backward has ended.
    case none
  }

  /// The order of additions.
  package var order = Order.fast
  /// The element type that travels. With bf16 the summand of each rank is rounded, and so is the
  /// sum. In a tree every sum above the shards is rounded, also inside a rank.
  package var wire = DType.float32
  /// How many canonical shards this rank runs, one after the other: a power of two, and 1 for the
  /// order `fast`.
  package var localShards = 1
  /// Whether each rank receives only the sum of its own pieces of the buckets (reduce-scatter, as
  /// in ZeRO stage 1).
  package var reduceScatters = false
  /// Who lets messages advance.
  package var progress = Progress.calls

  /// The defaults: any order, f32, all-reduce.
  package init() {}
}
