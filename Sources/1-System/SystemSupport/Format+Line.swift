extension Format {
  /// A text as one line that a terminal can show: line ends and other control characters are
  /// visible as escapes, and a long text loses its middle. Names in files that others made are such
  /// texts.
  package static func line(_ text: String, limit: Int = 2000) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": result += "\\n"
      case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}":
        result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    guard result.utf8.count > limit else { return result }
    let half = limit / 2
    return "\(result.prefix(half)) [...] \(result.suffix(half))"
  }
}
