import Datasets
import FileFormats
import Images
import Testing

@Suite struct ShapesDatasetTests {
  @Test func labelsAreBalancedAndNamed() throws {
    let data = ShapesDataset(resolution: 8, count: 30)
    #expect(data.count == 30 && data.classNames.count == 10)
    #expect(data.classNames[5] == "star")
    #expect(try (0..<30).map { try data.image($0).label } == (0..<30).map { $0 % 10 })
  }

  @Test func imagesDependOnTheIndexAlone() throws {
    let data = ShapesDataset(resolution: 16, count: 100)
    let larger = ShapesDataset(resolution: 16, count: 1000)
    var distinct = Set<[UInt8]>()
    for index in stride(from: 99, through: 0, by: -1) {
      let image = try data.image(index).image
      #expect(try image == larger.image(index).image)
      distinct.insert(image.pixels)
    }
    #expect(distinct.count == 100)
  }

  /// The mean of a picture hardly depends on its resolution: it is the same drawing.
  @Test(arguments: [16, 33, 64, 128]) func anyResolutionShowsTheSameDrawing(side: Int) throws {
    let (data, fine) = (ShapesDataset(resolution: side), ShapesDataset(resolution: 256))
    for index in 0..<10 {
      let (a, b) = (try data.image(index).image, try fine.image(index).image)
      for channel in 0..<3 {
        #expect(abs(mean(a, channel) - mean(b, channel)) < 2, "image \(index)")
      }
    }
  }

  /// The first ten pictures, so that a change of the drawings is noticed and gets a new version.
  @Test func drawingsAreRecorded() throws {
    let data = ShapesDataset(resolution: 32)
    let sums = try (0..<10).map { try data.image($0).image.pixels.reduce(0) { $0 + Int($1) } }
    #expect(
      sums == [
        287006, 300918, 211312, 236653, 539402, 230194, 277321, 434280, 266606, 496637,
      ])
  }

  @Test func digestTellsSettingsApart() {
    let digests = [(16, 10), (16, 20), (32, 10)].map {
      ShapesDataset(resolution: $0.0, count: $0.1).contentDigest
    }
    #expect(Set(digests).count == 3)
    #expect(digests[0] == ShapesDataset(resolution: 16, count: 10).contentDigest)
  }

  private func mean(_ image: RGBImage, _ channel: Int) -> Double {
    let pixels = image.width * image.height
    return Double((0..<pixels).reduce(0) { $0 + Int(image.pixels[$1 * 3 + channel]) })
      / Double(pixels)
  }
}
