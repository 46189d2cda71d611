import Collectives
import TensorCore

/// Gradients of a rank in a step: small integers, exact in any order of additions, in bf16 too.
private func gradient(_ i: Int, rank: Int, step: Int) -> Float { Float((i % 13 + rank) * step) }

/// Every way of adding up gives the sum, on any number of ranks, in any order of events.
func checkReducer(_ ranks: any Communicator) throws {
  let count = 3 * GradientBuckets.granule + 16
  let buckets = GradientBuckets(count: count, bucketMB: 0.01)
  try expect(buckets.ranges.count == 4, "\(buckets.ranges.count) buckets")
  for order in [ReductionMethod.Order.fast, .tree] {
    for wire in [DType.float32, .bfloat16] {
      for reduceScatters in [false, true] {
        for progress in [ReductionMethod.Progress.calls, .thread, .none] {
          var method = ReductionMethod()
          (method.order, method.wire) = (order, wire)
          (method.reduceScatters, method.progress) = (reduceScatters, progress)
          try checkSums(ranks, count, buckets, method)
        }
      }
    }
  }
}

private func checkSums(
  _ ranks: any Communicator, _ count: Int, _ buckets: GradientBuckets, _ method: ReductionMethod
) throws {
  let flat = Tensor([count], on: try! ComputeContext(threadCount: 2))
  let reducer = GradientReducer(flat, buckets: buckets, method: method, over: ranks)
  for step in 1...3 {
    flat.withFloats {
      for i in 0..<count { $0[i] = gradient(i, rank: ranks.rank, step: step) }
    }
    if step < 3 {
      // Out of order, across cuts, and the last range not announced in the second step.
      reducer.markReady(4000..<9000)
      reducer.markReady(0..<4000)
      reducer.progress()
      if step == 1 { reducer.markReady(9000..<count) }
    }
    reducer.endShard()
    try reducer.finish()
    let found = flat.floats
    let pieces = reducer.ownPartition
    try expect(method.reduceScatters || pieces == [0..<count], "pieces \(pieces)")
    for i in pieces.joined() {
      let wanted = (0..<ranks.size).reduce(Float(0)) { $0 + gradient(i, rank: $1, step: step) }
      try expect(found[i] == wanted, "\(method), step \(step), element \(i): \(found[i])")
    }
    let covered = try ranks.sum(pieces.reduce(0) { $0 + $1.count })
    try expect(
      covered == (method.reduceScatters ? count : count * ranks.size), "pieces of \(covered)")
  }
}

/// Numbers that round: the bits do not depend on how eight shards are spread over the ranks.
func checkTree(_ ranks: any Communicator) throws {
  let (shards, count) = (8, 2 * GradientBuckets.granule + 48)
  guard shards % ranks.size == 0 else { return }
  let context = ComputeContext()
  func values(_ shard: Int) -> [Float] {
    let stream = RandomStream(seed: 1, .test, position: UInt64(shard))
    return (0..<count).map { Float(stream.uniform($0) - 0.5) }
  }
  for wire in [DType.float32, .bfloat16] {
    // The tree, level by level.
    var level = (0..<shards).map {
      Tensor(values($0), [count], on: context).cast(to: wire).cast(to: .float32).floats
    }
    while level.count > 1 {
      level = stride(from: 0, to: level.count, by: 2).map { first in
        let sum = zip(level[first], level[first + 1]).map { $0 + $1 }
        return Tensor(sum, [count], on: context).cast(to: wire).cast(to: .float32).floats
      }
    }
    var method = ReductionMethod()
    (method.order, method.wire, method.localShards) = (.tree, wire, shards / ranks.size)
    let flat = Tensor([count], on: context)
    let reducer = GradientReducer(
      flat, buckets: GradientBuckets(count: count, bucketMB: 0.02), method: method, over: ranks)
    for shard in 0..<method.localShards {
      flat.copy(
        from: Tensor(values(ranks.rank * method.localShards + shard), [count], on: context))
      if shard == method.localShards - 1 { reducer.markReady(0..<count) }
      reducer.endShard()
    }
    try reducer.finish()
    try expect(flat.floats == level[0], "the tree's bits over \(wire)")
  }
}

/// Pieces that ranks hold come together on all of them.
func checkPieces(_ ranks: any Communicator) throws {
  let count = 5 * GradientBuckets.granule + 3
  let buckets = GradientBuckets(count: count, bucketMB: 0.03)
  let wanted = (0..<count).map { Float($0) }
  let flat = Tensor(zeros: [count], on: ComputeContext())
  for bucket in buckets.ranges.indices {
    let own = buckets.pieces(of: bucket, ranks: ranks.size)[ranks.rank]
    flat.view(at: own.lowerBound, [own.count])
      .copy(from: Tensor(Array(wanted[own]), [own.count], on: flat.context))
  }
  try AllGather(buckets, over: ranks).share(flat)
  try expect(flat.floats == wanted, "the pieces of all ranks")
}
