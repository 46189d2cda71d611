/// Pieces of JSON (RFC 8259) that are written by hand, where the bytes of a file are agreed on.
package enum JSONText {
  /// A text in quotation marks. Quotation marks, backslashes and control characters are escaped,
  /// everything else stays as it is.
  package static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case "\u{0}"..."\u{1F}":
        result += "\\u" + Format.zeroPadded(hexadecimal: scalar.value, 4)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
