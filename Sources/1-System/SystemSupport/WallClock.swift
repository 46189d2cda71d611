import Foundation

/// The time of day, as files tell it.
package enum WallClock {
  /// Now, in whole seconds since 1970 (`time`).
  package static var seconds: Int { Glibc.time(nil) }

  /// A time in UTC by ISO 8601, `2026-11-27T23:10:00Z`. By the C library: a line of a log must not
  /// cost a calendar.
  ///
  /// - Parameter seconds: since 1970; nil: now.
  package static func utc(_ seconds: Int? = nil) -> String {
    var (seconds, parts) = (seconds ?? self.seconds, tm())
    gmtime_r(&seconds, &parts)
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { text in
      let count = strftime(text.baseAddress, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
      return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }
}
