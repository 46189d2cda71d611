import Images

/// Grids as PNG files, in which small images are enlarged.
extension ImageGrid {
  /// Writes a grid of images.
  ///
  /// - Parameter images: at least one, all of one size.
  package static func writePNG(
    _ images: [RGBImage], columns: Int? = nil, to path: String
  ) throws {
    try writePNG(
      images.flatMap(\.pixels), height: images[0].height, width: images[0].width, columns: columns,
      to: path)
  }

  /// Writes a grid of images.
  ///
  /// - Parameter pixels: [B, height, width, 3].
  package static func writePNG(
    _ pixels: [UInt8], height: Int, width: Int, columns: Int? = nil, to path: String
  ) throws {
    let grid = image(
      pixels, height: height, width: width, columns: columns, gutter: 1,
      scale: scale(height, width))
    try ImageFile.writePNG(grid, to: path)
  }

  /// Writes a grid of images.
  ///
  /// - Parameter images: [B, height, width, 3] in [-1, 1].
  package static func writePNG(
    _ images: [Float], height: Int, width: Int, columns: Int? = nil, to path: String
  ) throws {
    try writePNG(
      RGBImage.levels(images), height: height, width: width, columns: columns, to: path)
  }

  private static func scale(_ height: Int, _ width: Int) -> Int {
    max(1, 96 / max(height, width))
  }
}
