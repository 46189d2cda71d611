/// Reads the one kind of Python literal that an NPY's header is.
struct NumPyHeaderScanner {
  enum Value: Equatable {
    case text(String)
    case truth(Bool)
    case numbers([Int])
    /// A list, as structured types are described; its content is passed over.
    case list
  }

  private let bytes: [UInt8]
  private let path: String
  private var position = 0

  init(_ bytes: [UInt8], path: String) {
    (self.bytes, self.path) = (bytes, path)
  }

  /// The whole header: `{'key': value, ...}`, then spaces and a line's end.
  mutating func dictionary() throws -> [String: Value] {
    var fields: [String: Value] = [:]
    try expect("{")
    while !take("}") {
      let key = try text()
      try expect(":")
      guard fields.updateValue(try value(), forKey: key) == nil else {
        throw broken("key \(key) comes twice")
      }
      if !take(",") {
        try expect("}")
        break
      }
    }
    skipSpaces()
    guard position == bytes.count - 1, bytes.last == UInt8(ascii: "\n") else {
      throw broken("it does not end with a line's end at byte \(bytes.count)")
    }
    return fields
  }

  private mutating func value() throws -> Value {
    skipSpaces()
    switch bytes.indices.contains(position) ? bytes[position] : 0 {
    case UInt8(ascii: "'"), UInt8(ascii: "\""): return .text(try text())
    case UInt8(ascii: "("): return .numbers(try tuple())
    case UInt8(ascii: "["):
      try passList()
      return .list
    default:
      for (word, truth) in [("True", true), ("False", false)]
      where bytes[position...].starts(with: word.utf8) {
        position += word.utf8.count
        return .truth(truth)
      }
      throw broken("no value at byte \(position)")
    }
  }

  private mutating func text() throws -> String {
    skipSpaces()
    guard position < bytes.count,
      bytes[position] == UInt8(ascii: "'")
        || bytes[position] == UInt8(ascii: "\""),
      let end = bytes[(position + 1)...].firstIndex(of: bytes[position])
    else { throw broken("no text at byte \(position)") }
    defer { position = end + 1 }
    let content = bytes[(position + 1)..<end]
    guard content.allSatisfy({ (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "\\") }) else {
      throw broken("unprintable text at byte \(position)")
    }
    return String(decoding: content, as: UTF8.self)
  }

  private mutating func tuple() throws -> [Int] {
    try expect("(")
    var numbers: [Int] = []
    while !take(")") {
      skipSpaces()
      let digits = bytes[position...].prefix {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
      }
      guard let number = Int(String(decoding: digits, as: UTF8.self)) else {
        throw broken("no whole number at byte \(position)")
      }
      position += digits.count
      numbers.append(number)
      if !take(",") {
        // (5) is a number in Python, not a tuple.
        guard numbers.count > 1 else { throw broken("shape is no tuple") }
        try expect(")")
        break
      }
    }
    return numbers
  }

  private mutating func passList() throws {
    var depth = 0
    repeat {
      guard position < bytes.count else { throw broken("a list does not end") }
      if bytes[position] == UInt8(ascii: "[") { depth += 1 }
      if bytes[position] == UInt8(ascii: "]") { depth -= 1 }
      position += 1
    } while depth > 0
  }

  private mutating func skipSpaces() {
    while position < bytes.count && bytes[position] == UInt8(ascii: " ") { position += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpaces()
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws {
    guard take(character) else { throw broken("no \(character) at byte \(position)") }
  }

  private func broken(_ reason: String) -> ArchiveError {
    .brokenNumPyHeader(path: path, reason: reason)
  }
}
