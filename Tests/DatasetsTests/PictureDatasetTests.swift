import Datasets
import ErrorSupport
import FileFormats
import FixtureSupport
import Foundation
import Images
import SystemSupport
import Testing

@Suite struct PictureDatasetTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try folder.write(Fixtures.rgbPNG, "zebra/2.png")
    try folder.write(Fixtures.rgbJPEG, "zebra/10.JPG")
    try folder.write(Fixtures.greyJPEG, "ant/a.jpeg")
    try folder.write(Data("a note".utf8), "ant/note.txt")
    try folder.write(Data("a note".utf8), "readme.txt")
  }

  private func open(
    _ folder: TemporaryFolder, _ resolution: Int = 8
  ) throws -> IndexedImageDataset {
    try IndexedImageDataset(path: folder.path, layout: .folder, resolution: resolution)
  }

  @Test func classesAndFilesAreSorted() throws {
    let data = try open(folder)
    #expect(data.classNames == ["ant", "zebra"])
    #expect(data.count == 3 && data.resolution == 8)
    #expect(try (0..<3).map { try data.image($0).label } == [0, 1, 1])
    let ant = try data.image(0).image
    #expect(ant[3, 3][0] == ant[3, 3][1] && ant[3, 3][1] == ant[3, 3][2])
  }

  /// A linear ramp stays one away from the borders: the centred 16 x 16 of the 24 x 16 picture, halved.
  @Test func cutsTheCentreAndResizes() throws {
    let image = try open(folder).image(2).image
    for (x, y) in [(2, 2), (4, 5), (5, 3)] {
      let (sx, sy) = (4 + 2 * Double(x) + 0.5, 2 * Double(y) + 0.5)
      let wanted = [10 * sx, 15 * sy, 255 - 5 * sx - 5 * sy]
      for (got, wanted) in zip(image[x, y], wanted) {
        #expect(abs(Double(got) - wanted) <= 1, "pixel \(x), \(y)")
      }
    }
  }

  /// Values of Pillow 11's `crop((5, 0, 25, 20)).resize(..., BICUBIC)`; it rounds after each axis.
  @Test func resizesAsPillowDoes() {
    let pixels = (0..<20 * 30 * 3).map { index -> UInt8 in
      let (y, x, c) = (index / 90, index / 3 % 30, index % 3)
      return UInt8((y * 37 + x * 101 + c * 59 + x * y * 13) % 256)
    }
    let image = RGBImage(width: 30, height: 20, pixels: pixels)
    let small = image.centerSquare(resizedTo: 6)
    let large = image.centerSquare(resizedTo: 33)
    let cases: [(RGBImage, Int, Int, [Int])] = [
      (small, 0, 0, [137, 133, 125]), (small, 2, 3, [141, 85, 124]),
      (small, 5, 5, [106, 138, 122]),
      (large, 0, 0, [255, 35, 94]), (large, 11, 16, [118, 195, 174]),
      (large, 32, 32, [110, 169, 227]),
    ]
    for (image, x, y, wanted) in cases {
      #expect(zip(image[x, y], wanted).allSatisfy { abs($0 - $1) <= 1 }, "\(image[x, y])")
    }
    #expect(abs(small.pixels.reduce(0) { $0 + Int($1) } - 13791) <= 36)
    #expect(abs(large.pixels.reduce(0) { $0 + Int($1) } - 416961) <= 400)
  }

  @Test func sameSizeIsUntouched() {
    let image = RGBImage(width: 5, height: 5, pixels: (0..<75).map { UInt8($0 * 91 % 256) })
    #expect(image.centerSquare(resizedTo: 5) == image)
  }

  @Test func cachedAndUncachedReadsAgree() throws {
    let cached = try open(folder)
    let uncached = try IndexedImageDataset(
      path: folder.path, layout: .folder, resolution: 8, cacheBytes: 0)
    for index in [2, 0, 2, 1, 1] {
      #expect(try cached.image(index).image == uncached.image(index).image)
    }
    try FileManager.default.removeItem(atPath: folder.path + "/zebra/2.png")
    #expect(throws: Never.self) { try cached.image(2) }
    #expect(throws: FileError.notFound(path: folder.path + "/zebra/2.png")) {
      try uncached.image(2)
    }
  }

  @Test func digestFollowsTheContentAndNotThePath() throws {
    let copy = try TemporaryFolder()
    try FileManager.default.removeItem(atPath: copy.path)
    try FileManager.default.copyItem(atPath: folder.path, toPath: copy.path)
    let digest = try open(folder).contentDigest
    #expect(try open(copy).contentDigest == digest)
    #expect(try open(copy, 16).contentDigest != digest)
    try FileManager.default.moveItem(
      atPath: copy.path + "/ant/a.jpeg", toPath: copy.path + "/ant/b.jpeg")
    #expect(try open(copy).contentDigest != digest)
    try FileManager.default.moveItem(
      atPath: copy.path + "/ant/b.jpeg", toPath: copy.path + "/ant/a.jpeg")
    #expect(try open(copy).contentDigest == digest)
    try copy.write(Fixtures.cmykJPEG, "ant/a.jpeg")
    #expect(try open(copy).contentDigest != digest)
  }

  @Test func missingFolder() {
    let path = folder.path + "/nowhere"
    #expect(throws: FileError.notFound(path: path)) {
      try IndexedImageDataset(path: path, layout: .folder, resolution: 8)
    }
  }

  @Test func fileInPlaceOfTheFolder() {
    let path = folder.path + "/readme.txt"
    #expect(
      throws: FileError.unreadable(
        path: path, reason: "it is a file, expected a folder of class folders")
    ) { try IndexedImageDataset(path: path, layout: .folder, resolution: 8) }
  }

  @Test func folderWithoutClasses() throws {
    let empty = try TemporaryFolder()
    #expect(throws: DatasetError.noClasses(path: empty.path)) { try open(empty) }
  }

  @Test func classWithoutImages() throws {
    try folder.write(Data("a note".utf8), "moth/note.txt")
    let empty = DatasetError.emptyClass(
      path: folder.path + "/moth", found: LeftOut([".txt": 1]))
    #expect(throws: empty) { try open(folder) }
  }

  @Test func brokenHeaderIsFoundAtOpening() throws {
    let path = try folder.write(Fixtures.rgbJPEG.prefix(100), "zebra/cut.jpg")
    let error = errorIfThrown { _ = try open(folder) }
    guard case ImageError.brokenImage(path, _)? = error else {
      Issue.record("found \(String(describing: error))")
      return
    }
  }

  @Test func imageNameWithOtherContentIsFoundAtOpening() throws {
    let path = try folder.write(Data("no picture".utf8), "zebra/words.png")
    #expect(throws: ImageError.unknownImageFormat(path: path)) { try open(folder) }
  }

  @Test func damageBehindTheHeaderIsFoundWhenRead() throws {
    let path = try folder.write(Fixtures.rgbJPEG.prefix(650), "zebra/cut.jpg")
    let data = try open(folder)
    let error = errorIfThrown { _ = try data.image(3) }
    guard case ImageError.brokenImage(path, _)? = error else {
      Issue.record("found \(String(describing: error))")
      return
    }
    #expect(throws: Never.self) { try data.image(2) }
  }
}
