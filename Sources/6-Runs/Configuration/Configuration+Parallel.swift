import Collectives

extension Configuration {
  /// How gradients are added up over `ranks` ranks.
  package func reductionMethod(ranks: Int) -> ReductionMethod {
    var method = ReductionMethod()
    method.order = parallel.reduction == .reproducible ? .tree : .fast
    method.wire = parallel.wire == .bf16 ? .bfloat16 : .float32
    method.localShards = parallel.reduction == .reproducible ? parallel.shards / ranks : 1
    method.reduceScatters = parallel.shardOptimizer && ranks > 1
    method.progress =
      switch parallel.progress {
      case .calls: .calls
      case .thread: .thread
      case .none: .none
      }
    return method
  }

  /// The images of each global batch that rank `rank` of `size` works on, counted from 0.
  package func share(rank: Int, of size: Int) -> Range<Int> {
    (0..<train.batch).share(rank: rank, of: size)
  }
}
