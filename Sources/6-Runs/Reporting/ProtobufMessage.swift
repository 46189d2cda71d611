/// A message in protobuf's wire format, as far as events need it: variable-length integers (type
/// 0), doubles (1), bytes, texts and messages (2), and floats (5).
struct ProtobufMessage {
  /// The message so far.
  private(set) var bytes: [UInt8] = []

  /// An integer from 0 on.
  mutating func add(_ field: Int, _ value: Int) {
    key(field, 0)
    variable(UInt64(value))
  }

  mutating func add(_ field: Int, _ value: Double) {
    key(field, 1)
    bytes += Self.littleEndian(value.bitPattern)
  }

  mutating func add(_ field: Int, _ value: Float) {
    key(field, 5)
    bytes += Self.littleEndian(value.bitPattern)
  }

  mutating func add(_ field: Int, _ value: [UInt8]) {
    key(field, 2)
    variable(UInt64(value.count))
    bytes += value
  }

  mutating func add(_ field: Int, _ value: String) { add(field, Array(value.utf8)) }

  mutating func add(_ field: Int, _ value: ProtobufMessage) { add(field, value.bytes) }

  private mutating func key(_ field: Int, _ type: Int) { variable(UInt64(field << 3 | type)) }

  private mutating func variable(_ value: UInt64) {
    var value = value
    while value >= 0x80 {
      bytes.append(UInt8(value & 0x7F | 0x80))
      value >>= 7
    }
    bytes.append(UInt8(value))
  }

  static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }
}

/// CRC-32C (Castagnoli), as RFC 3720 has it.
enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in
      value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1
    }
  }

  /// The checksum.
  static func of(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~UInt32(0)) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
  }

  /// The checksum as records hold it, so that records within records do not look like records.
  static func masked(_ bytes: [UInt8]) -> UInt32 {
    let value = of(bytes)
    return (value >> 15 | value << 17) &+ 0xA282_EAD8
  }
}
