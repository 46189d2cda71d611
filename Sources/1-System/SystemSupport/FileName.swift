import Foundation

/// Names of files as text, whatever bytes they have.
///
/// A name is bytes, and not every name is UTF-8. A byte that belongs to no character of UTF-8
/// becomes one of the last 128 characters of Unicode (private use, U+10FF80 to U+10FFFF), whose
/// lowest bits are the byte; where a name holds one of these characters itself, its four bytes do.
/// So different names are different texts, and a text leads back to its name. Paths in this program
/// are such texts.
package enum FileName {
  private static let first: UInt32 = 0x10_FF00

  /// The text of a name's bytes.
  package static func text(_ bytes: some RandomAccessCollection<UInt8>) -> String {
    if let text = String(validating: bytes, as: UTF8.self), !mayBeEscaped(text) { return text }
    let bytes = Array(bytes)
    var text = String.UnicodeScalarView()
    var (position, parser, rest) = (0, Unicode.UTF8.ForwardParser(), bytes.makeIterator())
    func escape(_ count: Int) {
      for byte in bytes[position..<position + count] {
        if let scalar = Unicode.Scalar(first | UInt32(byte)) { text.append(scalar) }
      }
      position += count
    }
    while true {
      switch parser.parseScalar(from: &rest) {
      case .emptyInput: return String(text)
      case .error(let length): escape(length)
      case .valid(let encoded):
        let scalar = Unicode.UTF8.decode(encoded)
        if isEscape(scalar) {
          escape(encoded.count)
        } else {
          text.append(scalar)
          position += encoded.count
        }
      }
    }
  }

  /// The bytes of a name from its text.
  package static func bytes(_ text: String) -> [UInt8] {
    guard mayBeEscaped(text) else { return Array(text.utf8) }
    return text.unicodeScalars.flatMap { scalar -> [UInt8] in
      isEscape(scalar)
        ? [UInt8(truncatingIfNeeded: scalar.value)] : Array(String(scalar).utf8)
    }
  }

  /// The text for people: `caf\xE9` for a byte that is no UTF-8.
  package static func visible(_ text: String) -> String {
    guard mayBeEscaped(text) else { return text }
    return text.unicodeScalars.reduce(into: "") { result, scalar in
      if isEscape(scalar) {
        result += "\\x" + String(scalar.value & 0xFF, radix: 16, uppercase: true)
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
  }

  /// Sorted by the bytes of the names, so that the order is the same on every system.
  package static func sorted<Item>(_ items: [Item], by name: (Item) -> String) -> [Item] {
    if items.contains(where: { mayBeEscaped(name($0)) }) {
      return items.map { ($0, bytes(name($0))) }
        .sorted { $0.1.lexicographicallyPrecedes($1.1) }.map(\.0)
    }
    return items.sorted { name($0).utf8.lexicographicallyPrecedes(name($1).utf8) }
  }

  /// Calls `body` with a path as the system takes it.
  package static func withPath<Value>(
    _ path: String, _ body: (UnsafePointer<CChar>) -> Value
  ) -> Value {
    var bytes = bytes(path).map { CChar(bitPattern: $0) }
    bytes.append(0)
    return bytes.withUnsafeBufferPointer { buffer in
      guard let start = buffer.baseAddress else { preconditionFailure("FileName: an empty buffer") }
      return body(start)
    }
  }

  private static func isEscape(_ scalar: Unicode.Scalar) -> Bool { scalar.value >= first | 0x80 }

  /// Whether there can be such a character: all of them begin with the byte 0xF4.
  private static func mayBeEscaped(_ text: String) -> Bool { text.utf8.contains(0xF4) }
}

/// A name as a key. Swift takes texts for equal that look equal, such as a composed and a decomposed
/// letter; to the file system these are two names.
package struct ExactName: Hashable, Sendable {
  /// The name.
  package let text: String

  /// The key of a name.
  package init(_ text: String) { self.text = text }

  package static func == (one: ExactName, other: ExactName) -> Bool {
    one.text.utf8.elementsEqual(other.text.utf8)
  }

  package func hash(into hasher: inout Hasher) {
    for byte in text.utf8 { hasher.combine(byte) }
    hasher.combine(0xFF as UInt8)
  }
}
