import Foundation

/// A clock that only moves forward, whatever happens to the calendar time.
package enum MonotonicClock {
  /// Seconds since some moment in the past, which is the same for the whole process
  /// (CLOCK_MONOTONIC).
  package static var now: Double { ProcessInfo.processInfo.systemUptime }
}
