import Foundation

/// The time that passes, whatever happens to the calendar.
package enum MonotonicClock {
  /// Seconds since some moment in the past, the same for the whole process (CLOCK_MONOTONIC).
  package static var now: Double { ProcessInfo.processInfo.systemUptime }
}
