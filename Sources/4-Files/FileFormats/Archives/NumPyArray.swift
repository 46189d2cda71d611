import TensorCore

/// An array as NumPy saves it.
///
/// `bytes` holds the elements in C order (the last index runs fastest) and little-endian, whatever
/// the file had.
package struct NumPyArray: Sendable, Equatable {
  /// The type of each element.
  package let type: NumPyType
  /// Sides from the slowest index to the fastest; empty for a single number.
  package let shape: [Int]
  /// The elements, one after the other.
  package let bytes: [UInt8]

  /// Elements.
  package var count: Int { shape.reduce(1, *) }

  /// Such as `float32 [3, 4]`.
  package var summary: String { NumPyHeader(type: type, shape: shape).summary }

  /// An array of elements that are bytes already: in C order and little-endian.
  package init(_ type: NumPyType, shape: [Int], bytes: [UInt8]) {
    let header = NumPyHeader(type: type, shape: shape)
    invariant(
      shape.allSatisfy { $0 >= 0 } && bytes.count == header.byteCount,
      "NumPyArray: \(bytes.count) bytes for \(header.summary)")
    (self.type, self.shape, self.bytes) = (type, shape, bytes)
  }

  /// An array of float64, its elements in C order.
  package init(_ values: [Double], shape: [Int]) {
    self.init(.float64, shape: shape, bytes: NumPyArray.bytes(of: values))
  }

  /// An array of float32, its elements in C order.
  package init(_ values: [Float], shape: [Int]) {
    self.init(.float32, shape: shape, bytes: NumPyArray.bytes(of: values))
  }

  /// An array of int64, its elements in C order.
  package init(_ values: [Int], shape: [Int]) {
    self.init(.int64, shape: shape, bytes: NumPyArray.bytes(of: values))
  }

  /// An array of uint8, its elements in C order.
  package init(_ values: [UInt8], shape: [Int]) {
    self.init(.uint8, shape: shape, bytes: values)
  }

  /// A text as its UTF-8 bytes, uint8 [count]: NumPy's own texts take four bytes per character.
  package init(text: String) {
    self.init(Array(text.utf8), shape: [text.utf8.count])
  }

  /// The elements as f64, row by row. Whole numbers beyond 2^53 are rounded.
  package var doubles: [Double] {
    switch type {
    case .float64: elements(Double.self)
    case .float32: elements(Float.self).map { Double($0) }
    case .bool, .uint8: bytes.map { Double($0) }
    case .int8: elements(Int8.self).map { Double($0) }
    case .int16: elements(Int16.self).map { Double($0) }
    case .uint16: elements(UInt16.self).map { Double($0) }
    case .int32: elements(Int32.self).map { Double($0) }
    case .uint32: elements(UInt32.self).map { Double($0) }
    case .int64: elements(Int64.self).map { Double($0) }
    case .uint64: elements(UInt64.self).map { Double($0) }
    }
  }

  /// The elements as f32, row by row; others are rounded.
  package var floats: [Float] {
    type == .float32 ? elements(Float.self) : doubles.map { Float($0) }
  }

  /// The elements where they are whole numbers that fit, row by row; nil for floats.
  package var integers: [Int]? {
    switch type {
    case .float64, .float32: nil
    case .bool, .uint8: bytes.map { Int($0) }
    case .int8: elements(Int8.self).map { Int($0) }
    case .int16: elements(Int16.self).map { Int($0) }
    case .uint16: elements(UInt16.self).map { Int($0) }
    case .int32: elements(Int32.self).map { Int($0) }
    case .uint32: elements(UInt32.self).map { Int($0) }
    case .int64: elements(Int.self)
    case .uint64:
      elements(UInt64.self).allSatisfy { $0 <= UInt64(Int.max) }
        ? elements(UInt64.self).map { Int($0) } : nil
    }
  }

  /// What `init(text:)` was given; nil for another type or shape.
  package var text: String? {
    type == .uint8 && shape.count == 1 ? String(validating: bytes, as: UTF8.self) : nil
  }

  /// A copy of the bytes as numbers of the array's own type.
  private func elements<Element: BitwiseCopyable>(_: Element.Type) -> [Element] {
    [Element](unsafeUninitializedCapacity: count) { buffer, written in
      UnsafeMutableRawBufferPointer(buffer).copyBytes(from: bytes)
      written = count
    }
  }

  private static func bytes<Element: BitwiseCopyable>(of values: [Element]) -> [UInt8] {
    values.withUnsafeBytes { Array($0) }
  }
}
