import TensorCore

/// Many images in one: rows of images with a gutter around each.
package enum ImageGrid {
  /// Lays out images from left to right, then downwards.
  ///
  /// - Parameters:
  ///   - pixels: [B, height, width, 3].
  ///   - columns: images per row; by default the side of the smallest square that holds all.
  ///   - gutter: pixels of background between images and around them, before enlarging.
  ///   - scale: side in pixels of the square that each pixel becomes, for small images.
  ///   - background: grey level, 0 to 255, of gutters and of places that stay empty.
  package static func image(
    _ pixels: [UInt8], height: Int, width: Int, columns: Int? = nil, gutter: Int = 2,
    scale: Int = 1, background: UInt8 = 255
  ) -> RGBImage {
    let size = height * width * 3
    invariant(
      size > 0 && !pixels.isEmpty && pixels.count % size == 0 && gutter >= 0 && scale > 0
        && columns ?? 1 > 0,
      "ImageGrid: \(pixels.count) values as images of [\(height), \(width), 3], scale \(scale)")
    let count = pixels.count / size
    let columns = columns ?? (1...count).first { $0 * $0 >= count } ?? count
    let rows = (count + columns - 1) / columns
    let gridWidth = columns * (width + gutter) + gutter
    let gridHeight = rows * (height + gutter) + gutter

    var result = [UInt8](
      repeating: background, count: gridWidth * gridHeight * 3 * scale * scale)
    for index in 0..<count {
      let left = gutter + index % columns * (width + gutter)
      let top = gutter + index / columns * (height + gutter)
      for y in 0..<height * scale {
        for x in 0..<width * scale {
          let from = index * size + (y / scale * width + x / scale) * 3
          let to = ((top * scale + y) * gridWidth * scale + left * scale + x) * 3
          for channel in 0..<3 { result[to + channel] = pixels[from + channel] }
        }
      }
    }
    return RGBImage(width: gridWidth * scale, height: gridHeight * scale, pixels: result)
  }

  /// The same for images in [-1, 1].
  package static func image(
    _ images: [Float], height: Int, width: Int, columns: Int? = nil, gutter: Int = 2,
    scale: Int = 1, background: UInt8 = 255
  ) -> RGBImage {
    image(
      RGBImage.levels(images), height: height, width: width, columns: columns, gutter: gutter,
      scale: scale, background: background)
  }
}
