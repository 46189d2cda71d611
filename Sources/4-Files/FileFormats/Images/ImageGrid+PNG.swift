/// Grids for looking at: small images are enlarged.
extension ImageGrid {
  /// - Parameter images: of one size.
  package static func writePNG(
    _ images: [RGBImage], columns: Int? = nil, to path: String
  ) throws {
    try writePNG(
      images.flatMap(\.pixels), height: images[0].height, width: images[0].width, columns: columns,
      to: path)
  }

  /// - Parameter pixels: [B, height, width, 3].
  package static func writePNG(
    _ pixels: [UInt8], height: Int, width: Int, columns: Int? = nil, to path: String
  ) throws {
    let grid = image(
      pixels, height: height, width: width, columns: columns, gutter: 1,
      scale: scale(height, width))
    try ImageFile.writePNG(grid, to: path)
  }

  /// - Parameter images: [B, height, width, 3] in [-1, 1].
  package static func writePNG(
    _ images: [Float], height: Int, width: Int, columns: Int? = nil, to path: String
  ) throws {
    try writePNG(bytes(images), height: height, width: width, columns: columns, to: path)
  }

  private static func scale(_ height: Int, _ width: Int) -> Int {
    max(1, 96 / max(height, width))
  }
}
