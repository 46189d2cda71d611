/// Reads the JSON of a safetensors header: objects, strings, lists of whole numbers.
///
/// A scanner of our own because general JSON readers keep one of two equal keys without a word, and
/// accept numbers and nesting that the format does not have. Nothing recurses, so no input
/// overflows the stack. `bytes` must be valid UTF-8.
struct HeaderScanner {
  let bytes: [UInt8]
  let path: String
  private(set) var position = 0

  init(_ bytes: [UInt8], path: String) {
    self.bytes = bytes
    self.path = path
  }

  /// Reads an object, calling `member` at each value. Keys that Swift holds equal (also by Unicode
  /// normal form) count as the same.
  mutating func object(
    _ member: (inout HeaderScanner, String) throws(SafetensorsError) -> Void
  ) throws(SafetensorsError) {
    try expect("{")
    if skip("}") { return }
    var keys = Set<String>()
    repeat {
      let key = try string()
      guard keys.insert(key).inserted else { throw .duplicateKey(path: path, key: key) }
      try expect(":")
      try member(&self, key)
    } while skip(",")
    try expect("}", or: "\",\"")
  }

  /// Reads a list of whole numbers.
  mutating func integers() throws(SafetensorsError) -> [Int] {
    try expect("[")
    if skip("]") { return [] }
    var values: [Int] = []
    repeat { values.append(try integer()) } while skip(",")
    try expect("]", or: "\",\"")
    return values
  }

  /// Reads a whole number from 0 to 2^63 - 1, without sign, fraction or exponent.
  mutating func integer() throws(SafetensorsError) -> Int {
    skipSpace()
    let start = position
    var value = 0
    while position < bytes.count, case let digit = bytes[position], digit >= 48, digit <= 57 {
      let (high, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = high.addingReportingOverflow(Int(digit) - 48)
      guard !overflow && !carry else { throw fault("a number below 2^63", at: start) }
      value = sum
      position += 1
    }
    guard position > start, position == start + 1 || bytes[start] != 48 else {
      throw fault("a whole number", at: start)
    }
    return value
  }

  /// Reads a string with its escapes.
  mutating func string() throws(SafetensorsError) -> String {
    try expect("\"", or: "a string")
    var text: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): text += Array(String(try escape()).utf8)
      case 0..<0x20: throw fault("no control character in a string", at: position - 1)
      default: text.append(byte)
      }
    }
    throw fault("the end of a string")
  }

  /// Requires that only white space is left.
  mutating func end() throws(SafetensorsError) {
    skipSpace()
    guard position == bytes.count else { throw fault("nothing after the closing brace") }
  }

  private mutating func escape() throws(SafetensorsError) -> Unicode.Scalar {
    let start = position - 1
    guard position < bytes.count else { throw fault("an escape", at: start) }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      var code = try hexadecimal(from: start)
      if code >> 10 == 0x36 {  // the first of a surrogate pair
        guard position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
          bytes[position + 1] == UInt8(ascii: "u")
        else { throw fault("a surrogate pair", at: start) }
        position += 2
        let low = try hexadecimal(from: start)
        guard low >> 10 == 0x37 else { throw fault("a surrogate pair", at: start) }
        code = 0x10000 + (code & 0x3FF) << 10 + low & 0x3FF
      }
      guard let scalar = Unicode.Scalar(code) else { throw fault("a surrogate pair", at: start) }
      return scalar
    default: throw fault("an escape", at: start)
    }
  }

  private mutating func hexadecimal(from start: Int) throws(SafetensorsError) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard position < bytes.count, bytes[position] < 0x80,
        let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue
      else { throw fault("four hexadecimal digits", at: start) }
      code = code << 4 | UInt32(digit)
      position += 1
    }
    return code
  }

  private mutating func expect(
    _ token: Unicode.Scalar, or name: String? = nil
  ) throws(SafetensorsError) {
    guard skip(token) else { throw fault(name ?? "\"\(token)\"") }
  }

  private mutating func skip(_ token: Unicode.Scalar) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == UInt8(ascii: token) else { return false }
    position += 1
    return true
  }

  private mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x0A, 0x0D, 0x09: position += 1
      default: return
      }
    }
  }

  private func fault(_ expected: String, at offset: Int? = nil) -> SafetensorsError {
    .headerSyntax(path: path, offset: offset ?? position, expected: expected)
  }
}
