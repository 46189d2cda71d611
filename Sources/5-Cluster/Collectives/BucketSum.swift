import TensorCore

/// The sum of one bucket over the ranks: a reduce-scatter followed by an all-gather.
///
/// Each rank sends every other rank that rank's piece, adds up what it receives for its own piece,
/// and sends the sum to all. This moves as many bytes as a ring, and the order of additions is
/// ours.
final class BucketSum {
  private enum Stage {
    /// Pieces travel to the ranks that add them up (reduce-scatter).
    case scattering(any PendingMessages, Tensor)
    /// Sums travel to all ranks (all-gather).
    case gathering(any PendingMessages)
    case complete
  }

  private let communicator: any Communicator
  private let method: ReductionMethod
  private let range: Range<Int>
  private let pieces: [Range<Int>]
  private let tag: Int
  /// Where the sum arrives, f32.
  private let gradients: Tensor
  /// The tensor that travels: the gradients, or their copy in bf16.
  private let wire: Tensor
  private var stage = Stage.complete

  private var own: Range<Int> { pieces[communicator.rank] }

  /// Starts the sum. `wire` holds this rank's summand.
  init(
    _ bucket: Int, of buckets: GradientBuckets, gradients: Tensor, wire: Tensor,
    method: ReductionMethod, over communicator: any Communicator
  ) throws(CommunicationError) {
    (self.communicator, self.method) = (communicator, method)
    (self.gradients, self.wire) = (gradients, wire)
    range = buckets.ranges[bucket]
    pieces = buckets.pieces(of: bucket, ranks: communicator.size)
    tag = buckets.tag(of: bucket)
    if communicator.size == 1 {
      stage = .gathering(
        try communicator.startAllToAll(
          AllToAll(sharing: wire, pieces: pieces, from: communicator.rank, tag: tag)))
    } else if method.order == .fast && method.wire == .float32 && !method.reduceScatters {
      stage = .gathering(
        try communicator.startSum(gradients.view(at: range.lowerBound, [range.count])))
    } else {
      let buffer = Tensor([max(1, own.count * communicator.size)], wire.dtype, on: wire.context)
      let slots = (0..<communicator.size).map { own.count * $0..<own.count * ($0 + 1) }
      stage = .scattering(
        try communicator.startAllToAll(
          AllToAll(from: wire, sent: pieces, to: buffer, received: slots, tag: tag)), buffer)
    }
  }

  /// Advances as far as it can.
  ///
  /// - Parameters:
  ///   - waiting: whether to wait for messages that have not arrived yet.
  ///   - run: what the sums are computed on.
  /// - Returns: whether the sum is complete.
  func advance(waiting: Bool, _ run: Split) throws(CommunicationError) -> Bool {
    guard try addUp(waiting: waiting, run) else { return false }
    if case .gathering(let messages) = stage {
      guard try Self.arrived(messages, waiting) else { return false }
      unpack(range, run)
      stage = .complete
    }
    return true
  }

  /// Advances until this rank's piece is added up and on its way to all.
  ///
  /// - Returns: whether it has come that far.
  func addUp(waiting: Bool, _ run: Split) throws(CommunicationError) -> Bool {
    if case .scattering(let messages, let buffer) = stage {
      guard try Self.arrived(messages, waiting) else { return false }
      addUp(buffer, run)
      if method.reduceScatters {
        unpack(own, run)
        stage = .complete
      } else {
        stage = .gathering(
          try communicator.startAllToAll(
            AllToAll(sharing: wire, pieces: pieces, from: communicator.rank, tag: tag + 1)))
      }
    }
    return true
  }

  private static func arrived(
    _ messages: any PendingMessages, _ waiting: Bool
  ) throws(CommunicationError) -> Bool {
    if waiting { try messages.wait() } else { return try messages.isComplete() }
    return true
  }

  /// Adds up the summands of all ranks for this rank's piece, into `wire`.
  private func addUp(_ buffer: Tensor, _ run: Split) {
    let (count, size) = (own.count, communicator.size)
    guard count > 0 else { return }
    let kernels = wire.context.kernels[wire.dtype]
    let slot = wire.dtype.size * count
    withElements(buffer, wire) { buffer, wire in
      let sum = wire + own.lowerBound * self.wire.dtype.size
      let mine = buffer + communicator.rank * slot
      mine.copyMemory(from: sum, byteCount: slot)
      run(count) { begin, end in
        if self.wire.dtype == .bfloat16 && self.method.order == .fast {
          return self.addUpWide(buffer, begin, end, into: sum)
        }
        // Neighbours first: this continues the tree that the shards of each rank went through.
        for block in stride(from: begin, to: end, by: GradientBuckets.granule) {
          let blockEnd = min(block + Int64(GradientBuckets.granule), end)
          var distance = 1
          while distance < size {
            for first in stride(from: 0, to: size - distance, by: 2 * distance) {
              let left = buffer + first * slot
              kernels.add(left, left + distance * slot, block, blockEnd, left)
            }
            distance *= 2
          }
        }
        let bytes = Int(begin) * self.wire.dtype.size..<Int(end) * self.wire.dtype.size
        (sum + bytes.lowerBound).copyMemory(
          from: buffer + bytes.lowerBound, byteCount: bytes.count)
      }
    }
  }

  /// Adds bf16 summands in f32 and rounds once.
  private func addUpWide(
    _ buffer: Elements, _ begin: Int64, _ end: Int64, into sum: Elements
  ) {
    let context = wire.context
    let (half, single) = (context.kernels[.bfloat16], context.kernels[.float32])
    let block = GradientBuckets.granule
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * block) { floats in
      guard let total = floats.baseAddress else { return }
      for start in stride(from: Int(begin), to: Int(end), by: block) {
        let count = Int64(min(block, Int(end) - start))
        for rank in 0..<communicator.size {
          let part = buffer + 2 * (rank * own.count + start)
          half.to_f32(part, 0, count, rank == 0 ? total : total + block)
          if rank > 0 { single.add(total, total + block, 0, count, total) }
        }
        half.from_f32(total, 0, count, sum + 2 * start)
      }
    }
  }

  /// Converts from the type that travels to the gradients' f32.
  private func unpack(_ range: Range<Int>, _ run: Split) {
    guard wire.dtype == .bfloat16 else { return }
    let kernels = wire.context.kernels[.bfloat16]
    let start = Int64(range.lowerBound)
    wire.withElements { from in
      gradients.withFloats { to in
        run(range.count) { kernels.to_f32(from, start + $0, start + $1, to) }
      }
    }
  }
}
