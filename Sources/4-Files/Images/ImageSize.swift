/// Width and height in pixels.
package struct ImageSize: Sendable, Hashable, CustomStringConvertible {
  /// Columns.
  package let width: Int
  /// Rows.
  package let height: Int

  /// A size in pixels.
  package init(width: Int, height: Int) {
    (self.width, self.height) = (width, height)
  }

  /// As `640 x 480`.
  package var description: String { "\(width) x \(height)" }
}

extension RGBImage {
  /// Width and height in pixels.
  package var size: ImageSize { ImageSize(width: width, height: height) }
}
