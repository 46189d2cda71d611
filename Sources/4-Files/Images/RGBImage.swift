import TensorCore

/// An 8-bit RGB image.
package struct RGBImage: Sendable, Equatable {
  /// Columns, in pixels; at least one.
  package let width: Int
  /// Rows, in pixels; at least one.
  package let height: Int
  /// [height, width, 3], row by row, each level 0 to 255.
  package let pixels: [UInt8]

  /// - Parameter pixels: [height, width, 3]; another number of bytes is a programming error.
  package init(width: Int, height: Int, pixels: [UInt8]) {
    invariant(
      width > 0 && height > 0 && pixels.count == width * height * 3,
      "RGBImage: \(pixels.count) bytes for \(width) x \(height) pixels")
    (self.width, self.height, self.pixels) = (width, height, pixels)
  }
}
