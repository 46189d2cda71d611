extension String {
  /// The text as a terminal may show it: characters that would move its cursor, colour it or turn
  /// the direction of writing are written out, `\u{1b}`, so that names in files and metadata of
  /// others cannot change what is on the screen; and bytes of names that are no UTF-8, `\xE9`.
  ///
  /// - Parameter keepsLines: whether line ends and tabs stay; otherwise they are written `\n` and
  ///   `\t`, and the text is one line.
  package func visible(keepsLines: Bool = false) -> String {
    let readable = FileName.visible(self)
    guard readable.unicodeScalars.contains(where: \.isHidden) else { return readable }
    var text = ""
    for scalar in readable.unicodeScalars {
      switch scalar {
      case "\n" where !keepsLines: text += #"\n"#
      case "\t" where !keepsLines: text += #"\t"#
      case "\r": text += #"\r"#
      case "\n", "\t": text.unicodeScalars.append(scalar)
      case _ where scalar.isHidden: text += #"\u{\#(String(scalar.value, radix: 16))}"#
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}

extension Unicode.Scalar {
  /// Whether it is a control character (C0, DEL, C1), or one of those that turn the direction of
  /// what follows (Unicode TR36, "bidirectional text spoofing"), or ends a line.
  fileprivate var isHidden: Bool {
    switch value {
    case 0..<0x20, 0x7F..<0xA0, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}
