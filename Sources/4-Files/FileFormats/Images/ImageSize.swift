/// Width and height in pixels.
package struct ImageSize: Sendable, Hashable, CustomStringConvertible {
  /// Pixels in a row.
  package let width: Int
  /// Number of rows.
  package let height: Int

  /// A size in pixels.
  package init(width: Int, height: Int) {
    (self.width, self.height) = (width, height)
  }

  package var description: String { "\(width) x \(height)" }
}

extension RGBImage {
  /// Width and height.
  package var size: ImageSize { ImageSize(width: width, height: height) }
}
