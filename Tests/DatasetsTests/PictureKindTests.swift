import Datasets
import FileFormats
import FixtureSupport
import Foundation
import Images
import Testing

/// Photographs of every kind, against Pillow.
@Suite struct PictureKindTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// EXIF with an orientation as its second entry.
  private static func exif(_ orientation: UInt8, little: Bool) -> Data {
    let numbers: [(Int, Int)] = [(2, 2), (0x010F, 2), (2, 2), (4, 4), (0x4142_4300, 4)]
    let tag: [(Int, Int)] = [(0x0112, 2), (3, 2), (1, 4), (Int(orientation), 2), (0, 2), (0, 4)]
    var data = Data(
      little ? [0x49, 0x49, 0x2A, 0, 8, 0, 0, 0] : [0x4D, 0x4D, 0, 0x2A, 0, 0, 0, 8])
    for (number, count) in numbers + tag {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
      data += Data(little ? bytes : bytes.reversed())
    }
    return data
  }

  private static func jpeg(_ segment: Data, into data: Data = Fixtures.rgbJPEG) -> Data {
    let size = segment.count + 2
    return data.prefix(2) + Data([0xFF, 0xE1, UInt8(size >> 8), UInt8(size & 255)]) + segment
      + data.dropFirst(2)
  }

  /// A PNG with one more chunk behind its header; libpng passes over the wrong checksum of one it may.
  private static func png(_ image: RGBImage, eXIf content: Data) throws -> Data {
    let data = Data(try ImageFile.storedPNG(image))
    let count = UInt8(content.count)
    let name = Data("eXIf".utf8)
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in name + content {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    crc = ~crc
    let sum = Data((0..<4).map { UInt8(truncatingIfNeeded: crc >> (24 - 8 * $0)) })
    return data.prefix(33) + Data([0, 0, 0, count]) + name + content + sum + data.dropFirst(33)
  }

  @Test(arguments: 1...8, [true, false]) func uprightAsPillow(value: Int, little: Bool) throws {
    let golden = try NPZFile(ImageFixtures.path("orientations.npz")).array("\(value)")
    let exif = Self.exif(UInt8(value), little: little)
    let png = try folder.write(Self.png(ImageFixtures.image(5, 3), eXIf: exif), "o.png")
    let image = try ImageFile.read(png)
    #expect([image.height, image.width, 3] == golden.shape)
    #expect(image.pixels == golden.bytes)

    // A JPEG's pixels are turned in the same way, and its header tells the size upright.
    try folder.write(Self.jpeg(Data("Exif\0\0".utf8) + exif), "o.jpg")
    try FileManager.default.removeItem(atPath: png)
    let plain = try ImageFile.decode(Fixtures.rgbJPEG, name: "plain")
    let turned = try FolderImages(path: folder.path)
    #expect(try turned.size(of: 0) == turned.image(0).size)
    let corners = [
      1: (0, 0), 2: (23, 0), 3: (23, 15), 4: (0, 15), 5: (0, 0), 6: (0, 15), 7: (23, 15),
      8: (23, 0),
    ]
    let (x, y) = try #require(corners[value])
    #expect(try turned.image(0)[0, 0] == plain[x, y])
    #expect(try turned.size(of: 0).width == (value < 5 ? 24 : 16))
  }

  @Test(arguments: ["tiff:Orientation=\"6\"", "<tiff:Orientation>6</tiff:Orientation>"])
  func orientationInXMP(text: String) throws {
    let xmp = Data("http://ns.adobe.com/xap/1.0/\0<x \(text)/>".utf8)
    #expect(
      try ImageFile.decode(Self.jpeg(xmp), name: "x").size == ImageSize(width: 16, height: 24))
  }

  /// Nonsense in EXIF leaves a picture as it is.
  @Test(arguments: [0, 9, 255]) func unknownOrientation(value: UInt8) throws {
    let plain = try ImageFile.decode(Fixtures.rgbJPEG, name: "plain")
    let exif = Data("Exif\0\0".utf8) + Self.exif(value, little: true)
    #expect(try ImageFile.decode(Self.jpeg(exif), name: "x") == plain)
    for cut in 0..<exif.count {
      let image = try ImageFile.decode(Self.jpeg(exif.prefix(cut)), name: "x")
      #expect(image == plain, "EXIF of \(cut) bytes")
    }
  }

  @Test(arguments: ["cmyk", "ycck"]) func inks(name: String) throws {
    let golden = try NPZFile(ImageFixtures.path("inks.npz"))
    let image = try ImageFile.decode(Data(golden.array("\(name).jpg").bytes), name: name)
    let expected = try golden.array(name)
    #expect(expected.shape == [image.height, image.width, 3])
    #expect(zip(image.pixels, expected.bytes).allSatisfy { abs(Int($0) - Int($1)) <= 1 })
  }

  @Test func storedPNGIsReadBack() throws {
    for (width, height) in [(1, 1), (300, 2), (2, 300), (257, 129)] {
      let image = ImageFixtures.image(width, height)
      let bytes = try ImageFile.storedPNG(image)
      #expect(bytes.count > width * height * 3)
      #expect(try ImageFile.decode(Data(bytes), name: "stored") == image)
    }
  }
}
