import TensorCore

/// Element types of the safetensors format, under their names in its headers.
///
/// Elements are little-endian, as is every machine this program is built for.
package enum SafetensorsDType: String, CaseIterable, Sendable {
  case bool = "BOOL"
  case uint8 = "U8"
  case int8 = "I8"
  case uint16 = "U16"
  case int16 = "I16"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case uint32 = "U32"
  case int32 = "I32"
  case float32 = "F32"
  case uint64 = "U64"
  case int64 = "I64"
  case float64 = "F64"

  /// Bytes an element.
  package var size: Int {
    switch self {
    case .bool, .uint8, .int8: 1
    case .uint16, .int16, .float16, .bfloat16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64: 8
    }
  }

  /// Whether `SafetensorsFile.floats` reads it.
  package var isFloatingPoint: Bool {
    switch self {
    case .float16, .bfloat16, .float32, .float64: true
    default: false
    }
  }

  /// Whether `SafetensorsFile.integers` reads it.
  package var isInteger: Bool { !isFloatingPoint && self != .bool && self != .uint64 }

  /// Converts floating-point elements to f32: exact but for f64, which is rounded to nearest.
  package func convertToFloats(_ bytes: UnsafeRawBufferPointer, _ to: UnsafeMutablePointer<Float>) {
    switch self {
    case .float32:
      UnsafeMutableRawPointer(to).copyMemory(
        from: bytes.baseAddress ?? UnsafeRawPointer(to), byteCount: bytes.count / size * size)
    case .float64: StoredFloats.convert(float64: bytes, to: to)
    case .bfloat16: StoredFloats.convert(bfloat16: bytes, to: to)
    case .float16: StoredFloats.convert(float16: bytes, to: to)
    default: fatalError("convertToFloats: \(rawValue) is not a floating-point type")
    }
  }

  /// Element `index` of integer elements.
  package func integer(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Int {
    let offset = index * size
    return switch self {
    case .uint8: Int(bytes[offset])
    case .int8: Int(Int8(bitPattern: bytes[offset]))
    case .uint16: Int(bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
    case .int16: Int(bytes.loadUnaligned(fromByteOffset: offset, as: Int16.self))
    case .uint32: Int(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    case .int32: Int(bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self))
    case .int64: Int(bytes.loadUnaligned(fromByteOffset: offset, as: Int64.self))
    default: fatalError("integer: \(rawValue) is not a signed-width integer type")
    }
  }
}
