/// The elements of an NPY that this program reads and writes; raw values are NumPy's codes.
package enum NumPyType: String, Sendable, CaseIterable {
  case bool = "b1"
  case int8 = "i1"
  case uint8 = "u1"
  case int16 = "i2"
  case uint16 = "u2"
  case int32 = "i4"
  case uint32 = "u4"
  case int64 = "i8"
  case uint64 = "u8"
  case float32 = "f4"
  case float64 = "f8"

  /// Bytes an element.
  package var size: Int {
    switch self {
    case .bool, .int8, .uint8: 1
    case .int16, .uint16: 2
    case .int32, .uint32, .float32: 4
    case .int64, .uint64, .float64: 8
    }
  }

  /// NumPy's name of the type, as errors print it.
  package var name: String { "\(self)" }

  /// The type as a header has it, little-endian.
  package var descriptor: String { (size == 1 ? "|" : "<") + rawValue }
}
