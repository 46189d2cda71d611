import Foundation

/// Numbers in tables, names of files and lists.
extension Format {
  /// A time in seconds, with three digits: `0 s`, `850 ns`, `12.5 us`, `3.21 ms`, `1.50 s`.
  package static func time(_ seconds: Double) -> String {
    if seconds == 0 { return "0 s" }
    let units = [(1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")]
    let (unit, name) = units.first { seconds.magnitude >= 0.9995 * $0.0 } ?? (1e-9, "ns")
    let value = seconds / unit
    let digits = value.magnitude < 9.995 ? 2 : value.magnitude < 99.95 ? 1 : 0
    return "\(decimal(value, digits)) \(name)"
  }

  /// A number with so many digits after the point: `3.142`.
  package static func decimal(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value)
  }

  /// A number with an exponent and so many digits after the point: `1.50e-04`.
  package static func scientific(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)e", value)
  }

  /// A share of 1 in percent: `7.5 %`.
  package static func percent(_ share: Double, _ digits: Int = 1) -> String {
    decimal(100 * share, digits) + " %"
  }

  /// A whole number with zeros before it up to a number of digits: `00042`.
  package static func zeroPadded(_ number: some BinaryInteger, _ digits: Int) -> String {
    zeroPadded(String(number), digits)
  }

  /// The same in hexadecimal digits: `00ff`.
  package static func zeroPadded(hexadecimal number: some BinaryInteger, _ digits: Int) -> String {
    zeroPadded(String(number, radix: 16), digits)
  }

  private static func zeroPadded(_ text: String, _ digits: Int) -> String {
    String(repeating: "0", count: max(digits - text.count, 0)) + text
  }

  /// Whole numbers in ascending order, neighbours as ranges: `0-2, 5`. Two neighbours are no range:
  /// `7, 8`.
  ///
  /// - Parameter limit: after so many ranges the rest is `...`.
  package static func list(_ numbers: [Int], limit: Int = .max) -> String {
    var runs: [ClosedRange<Int>] = []
    for number in Set(numbers).sorted() {
      if let last = runs.last, last.upperBound == number - 1 {
        runs[runs.count - 1] = last.lowerBound...number
      } else {
        runs.append(number...number)
      }
    }
    let texts = runs.prefix(limit).map { run in
      switch run.count {
      case 1: "\(run.lowerBound)"
      case 2: "\(run.lowerBound), \(run.upperBound)"
      default: "\(run.lowerBound)-\(run.upperBound)"
      }
    }
    return (texts + (runs.count > limit ? ["..."] : [])).joined(separator: ", ")
  }
}
