import ErrorSupport
import FileFormats
import FixtureSupport
import Foundation
import Images
import SystemSupport
import Testing

@Suite struct ImageFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func read(_ data: Data, _ name: String = "picture") throws -> RGBImage {
    try ImageFile.read(try folder.write(data, name))
  }

  private static func original(_ x: Int, _ y: Int) -> [Int] {
    [10 * x, 15 * y, 255 - 5 * x - 5 * y]
  }

  private func expect(_ image: RGBImage, _ wanted: [[Int]], within bound: Int) {
    #expect(image.width == 24 && image.height == 16)
    for ((x, y), wanted) in zip([(0, 0), (11, 7), (23, 15)], wanted) {
      #expect(zip(image[x, y], wanted).allSatisfy { abs($0 - $1) <= bound }, "\(image[x, y])")
    }
  }

  private static let originals = [original(0, 0), original(11, 7), original(23, 15)]

  /// Pillow's values; decoders may differ by a level.
  @Test func readsColourJPEG() throws {
    let wanted = [[0, 3, 242], [110, 106, 167], [230, 223, 73]]
    expect(try read(Fixtures.rgbJPEG), wanted, within: 1)
    #expect(try read(Fixtures.progressiveJPEG) == read(Fixtures.rgbJPEG))
  }

  @Test func readsInvertedCMYK() throws {
    expect(
      try read(Fixtures.cmykJPEG), [[0, 0, 255], [111, 105, 164], [229, 225, 65]], within: 1)
  }

  @Test func readsGreyJPEG() throws {
    let image = try read(Fixtures.greyJPEG)
    for (x, y) in [(0, 0), (11, 7), (23, 15)] {
      let color = Self.original(x, y)
      let grey = (299 * color[0] + 587 * color[1] + 114 * color[2]) / 1000
      #expect(image[x, y].allSatisfy { abs($0 - grey) <= 3 && $0 == image[x, y][0] })
    }
  }

  @Test func readsPNGOfEveryKind() throws {
    expect(try read(Fixtures.rgbPNG), Self.originals, within: 0)
    // Alpha is dropped, also where it is 0.
    expect(try read(Fixtures.alphaPNG), Self.originals, within: 0)
    #expect(try read(Fixtures.palettePNG)[11, 7] == [50, 128, 188])
    let bits = try read(Fixtures.greyPNG)
    #expect(bits[0, 0] == [0, 0, 0] && bits[23, 15] == [255, 255, 255])
    let deep = try read(Fixtures.deepPNG)
    #expect(deep[11, 7] == [88, 88, 88] && deep[23, 15] == [185, 185, 185])
  }

  @Test func writtenPNGIsReadBack() throws {
    let pixels = (0..<7 * 5 * 3).map { UInt8($0 * 37 % 256) }
    let image = RGBImage(width: 7, height: 5, pixels: pixels)
    let path = folder.path + "/written.png"
    try ImageFile.writePNG(image, to: path)
    try ImageFile.writePNG(image, to: path)  // replaces
    #expect(try ImageFile.read(path) == image)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["written.png"])
  }

  @Test func unwritablePathIsNamed() throws {
    let image = RGBImage(width: 1, height: 1, pixels: [1, 2, 3])
    let path = folder.path + "/no/such/folder.png"
    let error = errorIfThrown { try ImageFile.writePNG(image, to: path) }
    guard case FileError.unwritable(path, let reason)? = error else {
      Issue.record("found \(String(describing: error))")
      return
    }
    #expect(reason.contains("No such file"))
  }

  /// A file cannot take a folder's place; the temporary file must not stay.
  @Test func failedRenameLeavesNothing() throws {
    try folder.makeFolder("taken.png/inside")
    let image = RGBImage(width: 1, height: 1, pixels: [1, 2, 3])
    let path = folder.path + "/taken.png"
    let error = errorIfThrown { try ImageFile.writePNG(image, to: path) }
    #expect(error == FileError.unwritable(path: path, reason: "Is a directory"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["taken.png"])
  }

  @Test(arguments: [
    Fixtures.rgbJPEG, Fixtures.progressiveJPEG, Fixtures.greyJPEG, Fixtures.cmykJPEG,
    Fixtures.rgbPNG, Fixtures.palettePNG,
  ]) func everyTruncationIsAnError(data: Data) {
    // The last chunk of a PNG, 12 bytes, and the end marker of a JPEG hold no pixels.
    for size in 0..<data.count - 12 {
      let error = errorIfThrown {
        _ = try ImageFile.decode(data.prefix(size), name: "cut")
      }
      switch error {
      case ImageError.brokenImage("cut", let reason)?: #expect(!reason.isEmpty)
      case ImageError.unknownImageFormat("cut", _)?: #expect(size < 8)
      default: Issue.record("\(size) bytes of \(data.count): \(String(describing: error))")
      }
    }
  }

  /// Flipped bytes may go unnoticed in a JPEG, but must never crash.
  @Test(arguments: [Fixtures.rgbJPEG, Fixtures.cmykJPEG, Fixtures.rgbPNG, Fixtures.deepPNG])
  func flippedBytesNeverCrash(data: Data) {
    var failures = 0
    for position in 0..<data.count {
      var changed = data
      changed[position] ^= 0x5A
      let error = errorIfThrown {
        _ = try ImageFile.decode(changed, name: "flipped")
      }
      if error != nil { failures += 1 }
    }
    #expect(failures > data.count / 4)
  }

  @Test func extraneousBytesAreForgiven() throws {
    var data = Fixtures.rgbJPEG
    data.insert(contentsOf: [1, 2, 3], at: data.count - 2)  // before the end marker
    #expect(try read(data) == read(Fixtures.rgbJPEG))
  }

  @Test func unknownFormatIsNamed() throws {
    let path = try folder.write(Data("GIF89a and so on".utf8), "moving.gif")
    let error = errorIfThrown { _ = try ImageFile.read(path) }
    #expect(error == ImageError.unknownImageFormat(path: path, found: "a GIF"))
    #expect("\(try #require(error))".contains("by its first bytes, but a GIF; convert"))
    for (start, found) in [
      ("RIFF\u{1}\u{2}\u{3}\u{4}WEBPVP8 ", "a WebP"), ("", "empty"), ("II*\0abcdefgh", "a TIFF"),
      ("\0\0\0\u{1C}ftypavif", "an AVIF"), ("something else", nil),
    ] {
      let error = errorIfThrown { _ = try ImageFile.decode(Data(start.utf8), name: "x") }
      #expect(error == ImageError.unknownImageFormat(path: "x", found: found))
    }
  }

  @Test func absurdSizeIsRefusedBeforeDecoding() throws {
    var data = Fixtures.rgbJPEG
    let marker = try #require(data.firstRange(of: Data([0xFF, 0xC0])))
    let size = marker.lowerBound + 5
    data.replaceSubrange(size..<size + 4, with: [0xFF, 0xDC, 0xFF, 0xDC])  // 65500 x 65500
    let path = try folder.write(data, "absurd.jpg")
    let error = errorIfThrown { _ = try ImageFile.read(path) }
    #expect(
      error
        == ImageError.imageTooLarge(
          path: path, width: 65500, height: 65500, limit: ImageFile.pixelLimit))
  }
}
