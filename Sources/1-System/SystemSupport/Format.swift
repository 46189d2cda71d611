import Foundation

/// Numbers as people read them, the same in every line that the program prints.
package enum Format {
  /// A number with at most three digits and a suffix: `950`, `1.2k`, `47.5k`, `200M`.
  package static func count(_ value: Int) -> String {
    scaled(Double(value), step: 1_000, suffixes: ["", "k", "M", "G", "T", "P", "E"])
  }

  /// Something per second, such as images: `0.82/s`, `47.5/s`, `5.3k/s`.
  package static func rate(_ perSecond: Double) -> String {
    guard perSecond.isFinite, perSecond > 0 else { return "0/s" }
    if perSecond < 10 { return String(format: "%.2f/s", perSecond) }
    return scaled(perSecond, step: 1_000, suffixes: ["", "k", "M", "G", "T"]) + "/s"
  }

  /// Bytes in binary units: `512 B`, `1.5 GiB`.
  package static func bytes(_ count: Int) -> String {
    scaled(Double(count), step: 1_024, suffixes: [" B", " KiB", " MiB", " GiB", " TiB", " PiB"])
  }

  /// A number and what it counts: `1 rank`, `2 ranks`.
  package static func quantity(_ count: Int, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
  }

  /// Seconds for people: `8 s`, `3 min 05 s`, `1 h 02 min`, `2 d 07 h`.
  package static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return "unknown" }
    let whole = max(Int(seconds.rounded()), 0)
    func pair(_ big: Int, _ bigUnit: String, _ small: Int, _ smallUnit: String) -> String {
      "\(big) \(bigUnit) \(zeroPadded(small, 2)) \(smallUnit)"
    }
    switch whole {
    case ..<60: return "\(whole) s"
    case ..<3_600: return pair(whole / 60, "min", whole % 60, "s")
    case ..<86_400: return pair(whole / 3_600, "h", whole % 3_600 / 60, "min")
    default: return pair(whole / 86_400, "d", whole % 86_400 / 3_600, "h")
    }
  }

  /// Values below 100 keep one decimal, unless it is 0. A value that would round up to the next
  /// suffix gets it.
  private static func scaled(_ value: Double, step: Double, suffixes: [String]) -> String {
    var (value, index) = (value, 0)
    while value.magnitude >= step - 0.5 && index + 1 < suffixes.count {
      value /= step
      index += 1
    }
    let text = String(format: value.magnitude < 99.95 ? "%.1f" : "%.0f", value)
    return (text.hasSuffix(".0") ? String(text.dropLast(2)) : text) + suffixes[index]
  }
}
