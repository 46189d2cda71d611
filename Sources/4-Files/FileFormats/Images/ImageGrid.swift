import TensorCore

/// Many images in one: rows of images with a gutter around each.
package enum ImageGrid {
  /// Brings [-1, 1] to 0...255 as EDM does: 127.5 x + 128, clamped and truncated. NaN becomes 0, so
  /// that a diverged network still gives an image.
  package static func bytes(_ images: [Float]) -> [UInt8] {
    images.map { value in
      value.isNaN ? 0 : UInt8(min(max(value * 127.5 + 128, 0), 255))
    }
  }

  /// Brings 0...255 to [-1, 1].
  package static func signed(_ bytes: [UInt8]) -> [Float] { bytes.map { Float($0) / 127.5 - 1 } }

  /// The images of [B, H, W, 3] in [-1, 1], by `bytes`.
  package static func images(_ values: Tensor) -> [RGBImage] {
    let shape = values.shape
    invariant(shape.rank == 4 && shape[3] == 3, "ImageGrid.images: \(shape), expected [B, H, W, 3]")
    let (pixels, size) = (bytes(values.floats), shape[1] * shape[2] * 3)
    return (0..<shape[0]).map { index in
      RGBImage(
        width: shape[2], height: shape[1],
        pixels: Array(pixels[index * size..<(index + 1) * size]))
    }
  }

  /// Lays out images from left to right, then downwards.
  ///
  /// - Parameters:
  ///   - pixels: [B, height, width, 3].
  ///   - columns: images per row; by default the side of the smallest square that holds all.
  ///   - gutter: pixels of background between images and around them, before enlarging.
  ///   - scale: side of the square that each pixel becomes, for small images.
  ///   - background: grey level of gutters and of places that stay empty.
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

  /// The same of images in [-1, 1].
  package static func image(
    _ images: [Float], height: Int, width: Int, columns: Int? = nil, gutter: Int = 2,
    scale: Int = 1, background: UInt8 = 255
  ) -> RGBImage {
    image(
      bytes(images), height: height, width: width, columns: columns, gutter: gutter, scale: scale,
      background: background)
  }
}
