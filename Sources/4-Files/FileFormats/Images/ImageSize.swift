/// Width and height in pixels.
package struct ImageSize: Sendable, Hashable, CustomStringConvertible {
  package let width: Int
  package let height: Int

  package init(width: Int, height: Int) {
    (self.width, self.height) = (width, height)
  }

  package var description: String { "\(width) x \(height)" }
}

extension RGBImage {
  package var size: ImageSize { ImageSize(width: width, height: height) }
}
