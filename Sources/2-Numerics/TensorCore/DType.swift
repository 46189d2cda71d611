/// Element types a tensor can hold.
public enum DType: String, Sendable, Codable {
  case float32 = "F32"
  /// The upper half of an f32: 8 exponent bits, 7 fraction bits.
  case bfloat16 = "BF16"

  /// Bytes an element.
  public var size: Int {
    switch self {
    case .float32: 4
    case .bfloat16: 2
    }
  }
}
