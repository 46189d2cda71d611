/// One word or punctuation mark of a Swift file.
struct Token {
  let text: String
  /// Whether it is an identifier or a keyword.
  let isWord: Bool
  /// Whether a colon follows without a space, as after an argument label.
  var isLabel = false
}

/// Splits Swift source into tokens. Comments, numbers and the text of string literals give none;
/// the expressions inside string interpolations do.
///
///     Lexer.tokens(of: "let a = \"b \\(c)\" // d").map(\.text)  // ["let", "a", "=", "c"]
struct Lexer {
  private let bytes: [UInt8]
  private var position = 0
  private var tokens: [Token] = []

  static func tokens(of text: String) -> [Token] {
    var lexer = Lexer(bytes: Array(text.utf8))
    lexer.scan(isInterpolation: false)
    return lexer.tokens
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private func peek(_ distance: Int = 0) -> UInt8 {
    position + distance < bytes.count ? bytes[position + distance] : 0
  }

  /// Scans to the end of the file, or to the parenthesis that ends an interpolation.
  private mutating func scan(isInterpolation: Bool) {
    var depth = 0
    while position < bytes.count {
      switch (peek(), peek(1)) {
      case (UInt8(ascii: "/"), UInt8(ascii: "/")): skipLine()
      case (UInt8(ascii: "/"), UInt8(ascii: "*")): skipComment()
      case (UInt8(ascii: "\""), _): scanString(hashes: 0)
      case (UInt8(ascii: "#"), _): scanHashes()
      case (UInt8(ascii: "`"), _): position += 1
      case (UInt8(ascii: "("), _):
        depth += 1
        mark()
      case (UInt8(ascii: ")"), _):
        if isInterpolation && depth == 0 {
          position += 1
          return
        }
        depth -= 1
        mark()
      case (let byte, _) where Lexer.startsWord(byte): scanWord()
      case (let byte, _) where Lexer.isDigit(byte): skipNumber()
      case (let byte, _):
        if byte > UInt8(ascii: " ") { mark() } else { position += 1 }
      }
    }
  }

  private mutating func mark() {
    let byte = peek()
    let follows = position > 0 && bytes[position - 1] > UInt8(ascii: " ")
    if byte == UInt8(ascii: ":"), follows, tokens.last?.isWord == true {
      tokens[tokens.count - 1].isLabel = true
    }
    tokens.append(Token(text: String(UnicodeScalar(byte)), isWord: false))
    position += 1
  }

  private mutating func scanWord() {
    let start = position
    while Lexer.startsWord(peek()) || Lexer.isDigit(peek()) { position += 1 }
    tokens.append(
      Token(text: String(decoding: bytes[start..<position], as: UTF8.self), isWord: true))
  }

  private mutating func skipNumber() {
    while Lexer.startsWord(peek()) || Lexer.isDigit(peek())
      || (peek() == UInt8(ascii: ".") && Lexer.isDigit(peek(1)))
    {
      position += 1
    }
  }

  private mutating func skipLine() {
    while position < bytes.count, peek() != UInt8(ascii: "\n") { position += 1 }
  }

  /// Block comments nest.
  private mutating func skipComment() {
    var depth = 0
    repeat {
      switch (peek(), peek(1)) {
      case (UInt8(ascii: "/"), UInt8(ascii: "*")):
        depth += 1
        position += 2
      case (UInt8(ascii: "*"), UInt8(ascii: "/")):
        depth -= 1
        position += 2
      default: position += 1
      }
    } while depth > 0 && position < bytes.count
  }

  /// A raw string or regular expression with number signs around it, or a macro or directive.
  private mutating func scanHashes() {
    var hashes = 0
    while peek(hashes) == UInt8(ascii: "#") { hashes += 1 }
    switch peek(hashes) {
    case UInt8(ascii: "\""):
      position += hashes
      scanString(hashes: hashes)
    case UInt8(ascii: "/"):
      position += hashes + 1
      while position < bytes.count, !ends(UInt8(ascii: "/"), hashes: hashes) { position += 1 }
      position += hashes + 1
    default: position += hashes
    }
  }

  /// Whether a delimiter with that many number signs is next.
  private func ends(_ delimiter: UInt8, hashes: Int) -> Bool {
    peek() == delimiter
      && (0..<hashes).allSatisfy { peek(1 + $0) == UInt8(ascii: "#") }
  }

  private mutating func scanString(hashes: Int) {
    let quote = UInt8(ascii: "\"")
    let isLong =
      peek(1) == quote && peek(2) == quote && (hashes == 0 || peek(3) != UInt8(ascii: "#"))
    position += isLong ? 3 : 1
    while position < bytes.count {
      if isLong, peek() == quote, peek(1) == quote {
        position += 2
        if ends(quote, hashes: hashes) {
          position += 1 + hashes
          return
        }
        position -= 1
      } else if !isLong, ends(quote, hashes: hashes) {
        position += 1 + hashes
        return
      } else if !isLong, peek() == UInt8(ascii: "\n") {
        return  // not valid Swift; goes on with the next line
      } else if peek() == UInt8(ascii: "\\"),
        (0..<hashes).allSatisfy({ peek(1 + $0) == UInt8(ascii: "#") })
      {
        position += 1 + hashes
        if peek() == UInt8(ascii: "(") {
          position += 1
          scan(isInterpolation: true)
        } else {
          position += 1
        }
      } else {
        position += 1
      }
    }
  }

  private static func startsWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...:
      true
    default: false
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}
