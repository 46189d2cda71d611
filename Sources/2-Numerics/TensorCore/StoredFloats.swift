/// Floating-point numbers as files hold them, little-endian and perhaps unaligned, brought to f32.
package enum StoredFloats {
  /// Widens bf16; exact.
  package static func convert(bfloat16 bytes: UnsafeRawBufferPointer, to values: Floats) {
    for i in 0..<bytes.count / 2 {
      let bits = bytes.loadUnaligned(fromByteOffset: i * 2, as: UInt16.self)
      values[i] = Float(bitPattern: UInt32(bits) << 16)
    }
  }

  /// Widens IEEE half precision; exact.
  package static func convert(float16 bytes: UnsafeRawBufferPointer, to values: Floats) {
    for i in 0..<bytes.count / 2 {
      values[i] = Float(bytes.loadUnaligned(fromByteOffset: i * 2, as: Float16.self))
    }
  }

  /// Rounds f64 to the nearest.
  package static func convert(float64 bytes: UnsafeRawBufferPointer, to values: Floats) {
    for i in 0..<bytes.count / 8 {
      values[i] = Float(bytes.loadUnaligned(fromByteOffset: i * 8, as: Double.self))
    }
  }
}
