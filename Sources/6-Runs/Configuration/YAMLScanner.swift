/// Finds what must not reach a YAML library, without building anything.
///
/// It knows as much of YAML as tells an alias (`*name` where a value begins) from the same characters
/// in quotes, comments, block texts and words.
struct YAMLScanner {
  enum Problem: Equatable {
    case alias(String, line: Int)
    /// Too many lists and mappings inside each other.
    case depth(line: Int)
  }

  private let bytes: [UInt8]
  private let deepest: Int
  private var index = 0
  private var line = 1
  /// Open brackets and braces.
  private var depth = 0
  /// Where the present line begins.
  private var lineStart = 0
  /// Spaces before the first character of the present line.
  private var indentation = 0
  /// Column of the line's last `- ` or `? `, and of what follows it: the line's first key, or its value.
  private var (entryColumn, keyColumn) = (0, 0)

  static func firstProblem(in text: String, deepest: Int) -> Problem? {
    // Each kind of line break is one byte.
    let lines = String(text.map { $0.isNewline ? "\n" : $0 })
    var scanner = YAMLScanner(bytes: Array(lines.utf8), deepest: deepest)
    return scanner.scan()
  }

  private init(bytes: [UInt8], deepest: Int) { (self.bytes, self.deepest) = (bytes, deepest) }

  private var byte: UInt8? { index < bytes.count ? bytes[index] : nil }
  private var next: UInt8? { index + 1 < bytes.count ? bytes[index + 1] : nil }

  /// Goes from one beginning of a value to the next.
  private mutating func scan() -> Problem? {
    var levels = 0  // block lists and mappings that the present line opens: `- - - a`
    measureIndentation()
    while let byte {
      switch byte {
      case .newline:
        advance()
        measureIndentation()
        levels = 0
      case .space, .tab, .comma: advance()
      case .openBracket, .openBrace:
        depth += 1
        advance()
      case .closeBracket, .closeBrace:
        depth = max(depth - 1, 0)
        advance()
      case .hyphen where index == lineStart && isDocumentStart: index += 3
      case .hyphen where isSpace(next), .question where isSpace(next):
        levels += 1
        entryColumn = index - lineStart
        advance()
        skipUntil { $0 != .space }
        keyColumn = index - lineStart
      case .colon where isSpace(next) || depth > 0: advance()
      case .hash: skipUntil { $0 == .newline }
      case .doubleQuote, .singleQuote: skipQuoted(byte)
      case .exclamation, .ampersand: skipName()
      case .star where isName(next):
        advance()
        let start = index
        skipName()
        return .alias(String(decoding: bytes[start..<index], as: UTF8.self), line: line)
      case .bar where depth == 0, .greater where depth == 0: skipBlockText()
      default: skipWords()
      }
      if depth + levels > deepest || indentation > 3 * deepest { return .depth(line: line) }
    }
    return nil
  }

  private mutating func advance() {
    if byte == .newline { line += 1 }
    index += 1
  }

  private mutating func skipUntil(_ isEnd: (UInt8) -> Bool) {
    while let byte, !isEnd(byte) { advance() }
  }

  /// Of a tag, an anchor or an alias, from its first character.
  private mutating func skipName() {
    repeat { advance() } while isName(byte)
  }

  private mutating func measureIndentation() {
    lineStart = index
    skipUntil { $0 != .space }
    indentation = index - lineStart
    (entryColumn, keyColumn) = (indentation, indentation)
  }

  /// `---` and a space or the end of the line.
  private var isDocumentStart: Bool {
    bytes[index...].starts(with: [.hyphen, .hyphen, .hyphen])
      && isSpace(index + 3 < bytes.count ? bytes[index + 3] : nil)
  }

  private mutating func skipQuoted(_ quote: UInt8) {
    advance()
    while let byte {
      if byte == .backslash && quote == .doubleQuote {
        advance()
      } else if byte == quote {
        if quote == .singleQuote && next == .singleQuote { advance() } else { break }
      }
      advance()
    }
    advance()
  }

  /// A text without quotes: to the end of the line, a comment, a colon, or the end of its entry in brackets.
  private mutating func skipWords() {
    while let byte, byte != .newline {
      if byte == .colon && (isSpace(next) || depth > 0 && isBracketOrComma(next)) { return }
      if depth > 0 && isBracketOrComma(byte) { return }
      if isSpace(byte) && next == .hash { return }
      advance()
    }
  }

  /// The lines of a text that begins with `|` or `>`: those indented as far as its first one, which is
  /// indented further than the key or the list entry that has the text.
  private mutating func skipBlockText() {
    let parent = index - lineStart == keyColumn ? entryColumn : keyColumn
    skipUntil { $0 == .newline }
    var least = parent + 1
    var isFirst = true
    while byte == .newline {
      let before = self
      advance()
      measureIndentation()
      if byte == .newline || byte == nil { continue }
      guard indentation >= least else {
        self = before
        return
      }
      if isFirst { (least, isFirst) = (indentation, false) }
      skipUntil { $0 == .newline }
    }
  }

  private func isSpace(_ byte: UInt8?) -> Bool {
    byte == nil || byte == .space || byte == .newline || byte == .tab
  }

  private func isBracketOrComma(_ byte: UInt8?) -> Bool {
    switch byte {
    case .openBracket, .closeBracket, .openBrace, .closeBrace, .comma: true
    default: false
    }
  }

  private func isName(_ byte: UInt8?) -> Bool { !isSpace(byte) && !isBracketOrComma(byte) }
}

extension UInt8 {
  fileprivate static let newline = UInt8(ascii: "\n")
  fileprivate static let space = UInt8(ascii: " ")
  fileprivate static let tab = UInt8(ascii: "\t")
  fileprivate static let comma = UInt8(ascii: ",")
  fileprivate static let openBracket = UInt8(ascii: "[")
  fileprivate static let closeBracket = UInt8(ascii: "]")
  fileprivate static let openBrace = UInt8(ascii: "{")
  fileprivate static let closeBrace = UInt8(ascii: "}")
  fileprivate static let hyphen = UInt8(ascii: "-")
  fileprivate static let question = UInt8(ascii: "?")
  fileprivate static let colon = UInt8(ascii: ":")
  fileprivate static let hash = UInt8(ascii: "#")
  fileprivate static let doubleQuote = UInt8(ascii: "\"")
  fileprivate static let singleQuote = UInt8(ascii: "'")
  fileprivate static let exclamation = UInt8(ascii: "!")
  fileprivate static let ampersand = UInt8(ascii: "&")
  fileprivate static let star = UInt8(ascii: "*")
  fileprivate static let backslash = UInt8(ascii: "\\")
  fileprivate static let bar = UInt8(ascii: "|")
  fileprivate static let greater = UInt8(ascii: ">")
}
