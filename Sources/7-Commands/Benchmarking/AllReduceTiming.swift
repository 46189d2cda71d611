import Collectives
import CommandSupport
import SystemSupport
import TensorCore

/// How long a sum over all ranks takes, for one size.
package struct AllReduceTiming: Codable, Sendable, Equatable {
  /// Size of the buffer of f32 that each rank holds.
  package let bytes: Int
  /// Median of the repetitions, on the rank where it is largest.
  package let seconds: Double
  /// Sums that were timed.
  package let repeats: Int
  /// 10^9 bytes that each rank sends and receives per second where the sum goes round a ring: 2 (p
  /// - 1) / p of the buffer. It can be held against the rate of a link.
  package let gigabytesPerSecond: Double

  enum CodingKeys: String, CodingKey {
    case bytes, seconds, repeats
    case gigabytesPerSecond = "gigabytes_per_second"
  }

  /// A time of a sum over `ranks` ranks.
  package init(bytes: Int, seconds: Double, repeats: Int, ranks: Int) {
    (self.bytes, self.seconds, self.repeats) = (bytes, seconds, repeats)
    let sent = 2 * Double(ranks - 1) / Double(ranks) * Double(bytes)
    gigabytesPerSecond = sent / max(seconds, 1e-9) / 1e9
  }

  /// 8 B to 64 MiB.
  package static let sizes = (1...8).map { 1 << (3 * $0) } + [64 << 20]

  /// Times sums of increasing size, each after a barrier; nothing on one rank. Collective: all
  /// ranks give the same sizes, and get the same times.
  ///
  /// - Parameters:
  ///   - sizes: in bytes, multiples of 4, in ascending order. Sizes that would not end in time are
  ///     left out, from the large end.
  ///   - budget: seconds in all.
  package static func measure(
    _ communicator: any Communicator, sizes: [Int] = AllReduceTiming.sizes, budget: Double = 3
  ) throws(CommunicationError) -> [AllReduceTiming] {
    guard communicator.size > 1, let largest = sizes.last else { return [] }
    let buffer = Tensor([largest / 4], on: ComputeContext(threadCount: 1))
    buffer.fill(0)  // a sum of zeros is zero, however often
    let start = MonotonicClock.now
    var timings: [AllReduceTiming] = []
    for (index, bytes) in sizes.enumerated() {
      // Each time another part of the buffer: gradients do not come from a cache either.
      let parts = (0..<min(largest / bytes, 128)).map {
        buffer.view(at: $0 * (bytes / 4), [bytes / 4])
      }
      let left = try communicator.reduce(budget - (MonotonicClock.now - start), .min)
      if let last = timings.last {
        let growth = Double(bytes) / Double(last.bytes)
        if 4 * growth * last.seconds > left && bytes > 1 << 20 { break }
      }
      // The first sum of a size sets connections and buffers up.
      let first = try communicator.reduce(try seconds(of: parts[0], communicator), .max)
      let share = max(left, 0) / Double(sizes.count - index)
      let repeats = Int(min(max(share / max(first, 1e-6), 3), 101))
      var times: [Double] = []
      for turn in 1...repeats {
        times.append(try seconds(of: parts[turn % parts.count], communicator))
      }
      timings.append(
        AllReduceTiming(
          bytes: bytes, seconds: try communicator.reduce(TimingSummary(of: times).median, .max),
          repeats: repeats, ranks: communicator.size))
    }
    return timings
  }

  private static func seconds(
    of tensor: Tensor, _ communicator: any Communicator
  ) throws(CommunicationError) -> Double {
    try communicator.barrier()
    let start = MonotonicClock.now
    try communicator.sum(tensor)
    return MonotonicClock.now - start
  }

  /// A table for people; empty without timings.
  package static func lines(_ timings: [AllReduceTiming], ranks: Int) -> [String] {
    guard !timings.isEmpty else { return [] }
    var table = TextTable([
      .right("all-reduce of f32 over \(ranks) ranks"), .right("time", width: 8),
      .right("GB/s sent per rank"),
    ])
    for timing in timings {
      table.add([
        Format.bytes(timing.bytes), Format.time(timing.seconds),
        Format.decimal(timing.gigabytesPerSecond, 3),
      ])
    }
    return table.lines
  }
}
