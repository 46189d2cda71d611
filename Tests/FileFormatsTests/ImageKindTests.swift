import ErrorSupport
import FileFormats
import FixtureSupport
import Foundation
import Images
import SystemSupport
import Testing

/// Images of every kind, against Pillow (`Tests/Reference/pictures/make_kinds.py`).
@Suite struct ImageKindTests {
  /// Bits per sample, colour types, palettes, transparency, interlacing; colour spaces, which are
  /// not applied; orientation in EXIF, in ImageMagick's texts and in XMP; sampling factors, scans and
  /// colours of JPEG.
  @Test func pixelsAndOrientationsOfPillow() throws {
    let goldens = try NPZFile(ImageFixtures.path("kinds.npz"))
    let files = goldens.names.filter { $0.contains(".png") || $0.contains(".jpg") }
    #expect(files.count > 100)
    for file in files {
      let ending = file.suffix(3)
      let expected = try goldens.array(file.dropLast(4) + "-" + ending)
      let image = try ImageFile.decode(Data(goldens.array(file).bytes), name: file)
      #expect([image.height, image.width, 3] == expected.shape, "\(file)")
      // Versions of libjpeg round differently.
      let bound = ending == "png" ? 0 : 1
      let worst = zip(image.pixels, expected.bytes).map { abs(Int($0) - Int($1)) }.max()
      #expect(try #require(worst) <= bound, "\(file): \(worst ?? 0)")
    }
  }

  private func reason(_ data: Data) -> String? {
    let error = errorIfThrown { _ = try ImageFile.decode(data, name: "x") }
    guard case ImageError.brokenImage("x", let reason)? = error else { return nil }
    return reason
  }

  @Test func jpegOfTwelveBits() throws {
    var data = Fixtures.rgbJPEG
    let marker = try #require(data.firstRange(of: Data([0xFF, 0xC0])))
    data[marker.lowerBound + 4] = 12
    #expect(reason(data)?.contains("12") == true, "\(reason(data) ?? "none")")
  }

  /// A header of eleven thousand pixels a side on a file of a hundred bytes.
  @Test func sizesThatTheFileCannotHold() throws {
    var png = PNGBytes()
    png.add("IHDR", [0, 0, 0x2C, 0, 0, 0, 0x2C, 0, 8, 2, 0, 0, 0])
    png.add("IDAT", [0x78, 0x9C, 3, 0, 0, 0, 0, 1])
    png.add("IEND", [])
    #expect(reason(png.bytes) == "it is too short for 11264 x 11264 pixels")
  }

  /// Texts and colour profiles are passed over, whatever length they claim.
  @Test(arguments: ["tEXt", "zTXt", "iTXt", "iCCP", "eXIf", "sPLT", "prVt"])
  func chunksOfGigabytes(kind: String) throws {
    let whole = Fixtures.rgbPNG
    let chunk = Data([0x62, 0, 0, 0x8D]) + Data(kind.utf8)
    #expect(reason(whole.prefix(33) + chunk + whole.dropFirst(33)) == "it ends early")
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    #expect(usage.ru_maxrss < 1 << 20, "\(usage.ru_maxrss) KiB")
  }

  @Test func wholePNGs() throws {
    let folder = try TemporaryFolder()
    let size = ImageSize(width: 24, height: 16)
    func isWhole(_ data: Data, _ size: ImageSize? = nil) throws -> Bool {
      ImageFile.isWholePNG(try folder.write(data, "x.png"), size: size)
    }
    let whole = Fixtures.rgbPNG
    #expect(try isWhole(whole) && isWhole(whole, size))
    #expect(try !isWhole(whole, ImageSize(width: 16, height: 24)))
    #expect(try isWhole(Data(ImageFile.storedPNG(ImageFixtures.image(300, 200)))))
    for count in 0..<whole.count { #expect(try !isWhole(whole.prefix(count)), "\(count) bytes") }
    #expect(try !isWhole(whole + [0]))
    for place in whole.indices {
      var changed = whole
      changed[place] ^= 1
      #expect(try !isWhole(changed), "byte \(place)")
    }
    // What a crash of the system leaves: the length, and zeros.
    #expect(try !isWhole(whole.prefix(60) + Data(count: whole.count - 60)))
    #expect(!ImageFile.isWholePNG(folder.path + "/none.png"))
  }
}

/// A PNG, chunk by chunk.
struct PNGBytes {
  private(set) var bytes = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])

  mutating func add(_ kind: String, _ content: [UInt8]) {
    func number(_ value: Int) -> [UInt8] {
      (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }
    let body = Array(kind.utf8) + content
    bytes += number(content.count) + body + number(Int(Checksum32.of(body)))
  }
}
