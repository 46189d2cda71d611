/// The element types of tensors. The raw values are the names in safetensors files.
public enum DType: String, Sendable, Codable {
  /// IEEE single precision, 4 bytes per element.
  case float32 = "F32"
  /// The upper half of an f32 (bfloat16): 8 exponent bits and 7 fraction bits, 2 bytes per element.
  case bfloat16 = "BF16"

  /// Bytes per element.
  public var size: Int {
    switch self {
    case .float32: 4
    case .bfloat16: 2
    }
  }
}
