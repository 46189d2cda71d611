import Collectives
import Foundation
import SystemSupport

/// How far a rank's wall clock is ahead of the first rank's.
package struct ClockOffset: Codable, Sendable, Equatable {
  /// Negative: behind.
  package let seconds: Double
  /// The true offset is at most this far from `seconds`.
  package let uncertainty: Double

  /// An offset with its uncertainty, both in seconds.
  package init(seconds: Double, uncertainty: Double) {
    (self.seconds, self.uncertainty) = (seconds, uncertainty)
  }

  /// Compares the clocks of all ranks at once, in the order of ranks; collective.
  ///
  /// A round: each rank reads its clock and tells all that it has; the first rank, once it has
  /// heard from all, reads its own and tells the others. That reading lies between a rank's own
  /// reading and the end of its round, whose length is taken from a clock that nobody sets. The
  /// shortest round of each rank counts.
  package static func measure(
    _ communicator: any Communicator, rounds: Int = 16
  ) throws(CommunicationError) -> [ClockOffset] {
    var best = ClockOffset(seconds: 0, uncertainty: .infinity)
    for _ in 0..<rounds {
      try communicator.barrier()
      let (mine, start) = (wallClock(), MonotonicClock.now)
      _ = try communicator.gatherEqual([1])
      let first = try communicator.broadcast(withUnsafeBytes(of: wallClock()) { Array($0) })
      let half = (MonotonicClock.now - start) / 2
      let reference = first.withUnsafeBytes { $0.loadUnaligned(as: Double.self) }
      if half < best.uncertainty {
        best = ClockOffset(seconds: mine + half - reference, uncertainty: half)
      }
    }
    let pair = [best.seconds, best.uncertainty].withUnsafeBytes { Array($0) }
    return try communicator.gatherEqual(pair).map { bytes in
      bytes.withUnsafeBytes {
        ClockOffset(
          seconds: $0.loadUnaligned(as: Double.self),
          uncertainty: $0.loadUnaligned(fromByteOffset: 8, as: Double.self))
      }
    }
  }

  private static func wallClock() -> Double { Date().timeIntervalSinceReferenceDate }
}
