import FileFormats
import FixtureSupport
import Images
import Testing

@Suite struct ImageGridTests {
  @Test func normalisationIsUndoneExactly() {
    let image = RGBImage(width: 16, height: 16, pixels: (0..<768).map { UInt8($0 % 256) })
    #expect(image.normalized.min() == -1 && image.normalized.max() == 1)
    #expect(RGBImage.levels(image.normalized) == image.pixels)
  }

  @Test func bytesRoundAsEDM() {
    let values: [Float] = [-1, 1, 0, -2, 3, .nan, .infinity, -.infinity, 0.5, -0.999]
    #expect(RGBImage.levels(values) == [0, 255, 128, 0, 255, 0, 255, 0, 191, 0])
    // Every byte survives the way to [-1, 1] and back.
    let all = (0...255).map { Float($0) / 127.5 - 1 }
    #expect(RGBImage.levels(all) == (0...255).map { UInt8($0) })
  }

  @Test func placesImagesRowByRow() {
    // Three 1 x 2 images in two columns, gutter 1, each pixel doubled.
    let grey: [Float] = [-1, -0.5, 0, 0.25, 0.5, 1]
    let images = grey.flatMap { [$0, $0, $0] }
    let grid = ImageGrid.image(images, height: 1, width: 2, columns: 2, gutter: 1, scale: 2)
    #expect(grid.width == 2 * (2 * 3 + 1) && grid.height == 2 * (2 * 2 + 1))
    let levels = RGBImage.levels(grey).map { [Int($0), Int($0), Int($0)] }
    let white = [255, 255, 255]
    for dy in 0..<2 {
      for dx in 0..<2 {
        #expect(grid[2 + dx, 2 + dy] == levels[0] && grid[4 + dx, 2 + dy] == levels[1])
        #expect(grid[8 + dx, 2 + dy] == levels[2] && grid[10 + dx, 2 + dy] == levels[3])
        #expect(grid[2 + dx, 6 + dy] == levels[4] && grid[4 + dx, 6 + dy] == levels[5])
        #expect(grid[8 + dx, 6 + dy] == white && grid[6 + dx, 2 + dy] == white)
        #expect(grid[dx, dy] == white && grid[12 + dx, 8 + dy] == white)
      }
    }
  }

  @Test func chosenColumnsMakeASquare() {
    let grid = ImageGrid.image(
      [Float](repeating: 0, count: 7 * 12), height: 2, width: 2, gutter: 0)
    #expect(grid.width == 6 && grid.height == 6)
  }

  @Test func writtenGridIsReadBack() throws {
    let folder = try TemporaryFolder()
    let images = (0..<4 * 48).map { Float($0) / 100 - 1 }
    let path = folder.path + "/grid.png"
    let grid = ImageGrid.image(images, height: 4, width: 4, scale: 3)
    try ImageFile.writePNG(grid, to: path)
    #expect(try ImageFile.read(path) == grid)
  }
}
