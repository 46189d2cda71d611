import Foundation

/// Columns of tables.
extension Format {
  /// `0 s`, `850 ns`, `12.5 us`, `3.21 ms`, `1.50 s`: three digits.
  package static func time(_ seconds: Double) -> String {
    if seconds == 0 { return "0 s" }
    let units = [(1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")]
    let (unit, name) = units.first { seconds.magnitude >= 0.9995 * $0.0 } ?? (1e-9, "ns")
    let value = seconds / unit
    let digits = value.magnitude < 9.995 ? 2 : value.magnitude < 99.95 ? 1 : 0
    return "\(decimal(value, digits)) \(name)"
  }

  package static func decimal(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value)
  }

  /// `7.5 %`
  package static func percent(_ share: Double, _ digits: Int = 1) -> String {
    decimal(100 * share, digits) + " %"
  }
}

extension String {
  package func leftPadded(_ width: Int) -> String {
    String(repeating: " ", count: max(width - count, 0)) + self
  }
}
