import Datasets
import ErrorSupport
import FileFormats
import FixtureSupport
import Foundation
import Images
import Testing

/// Small files that claim, or unpack to, more than their format can hold: refused in one line,
/// before memory is taken.
@Suite struct BoundsTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A .zip of one deflated entry that says it unpacks to `size` bytes; its bytes are zeros.
  private func zip(_ name: String, packed: Int, size: Int) throws -> String {
    let path = folder.path + "/x.zip"
    let writer = try ZipWriter(path)
    try writer.add(name, [UInt8](repeating: 0, count: packed))
    try writer.finish()
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let list = try #require(bytes.lastRange(of: Data([0x50, 0x4B, 1, 2]))).lowerBound
    bytes[list + 10] = 8
    for byte in 0..<4 { bytes[list + 24 + byte] = UInt8(truncatingIfNeeded: size >> (8 * byte)) }
    return try folder.write(bytes, "x.zip")
  }

  @Test func anImageOfThreeGigabytes() throws {
    let path = try zip("a.png", packed: 3_000_000, size: 3_000_000_000)
    let images = try ArchiveImages(path: path)
    #expect(
      thrownError { _ = try images.image(0) }
        == ArchiveError.brokenZip(
          path: path,
          reason: "a.png has 3000000000 bytes, expected at most \(ImageFile.byteLimit)"))
    let packed = try zip("a.png", packed: 100, size: 3_000_000_000)
    #expect(
      thrownError { _ = try ArchiveImages(path: packed).image(0) }
        == ArchiveError.brokenZip(path: packed, reason: "a.png has an absurd size"))
  }

  @Test func labelsOfManyMegabytes() throws {
    let path = folder.path + "/y.zip"
    let writer = try ZipWriter(path)
    try writer.add("a.png", Fixtures.rgbPNG)
    let limit = 1 << 22 + 512
    try writer.add("dataset.json", [UInt8](repeating: 0x20, count: limit + 1))
    try writer.finish()
    #expect(
      thrownError { _ = try ImageSource(path: path) }
        == ArchiveError.brokenZip(
          path: path, reason: "dataset.json has \(limit + 1) bytes, expected at most \(limit)"))
    try folder.write(Fixtures.rgbPNG, "set/a.png")
    let file = try folder.write(Data(repeating: 0x20, count: limit + 1), "set/dataset.json")
    #expect(
      thrownError { _ = try ImageSource(path: folder.path + "/set") }
        == DatasetError.brokenLabels(
          path: file, reason: "it has \(limit + 1) bytes, more than \(limit) for 1 images"))
  }

  /// A member that claims a terabyte, in an archive of CIFAR-10 and in a tar of images.
  @Test func membersOfATerabyte() throws {
    var tar = TarBytes()
    tar.add(Array("data_batch_1.bin".utf8), Data(count: 3073), size: 1 << 35)
    let path = try folder.write(tar.finished, "cifar.tar.gz")
    let error = thrownError { _ = try CIFAR10Dataset.stage(path: path) }
    guard case ArchiveError.tooLarge(path, let found, 1_073_741_824)? = error else {
      Issue.record("found \(String(describing: error))")
      return
    }
    #expect(found == "data_batch_1.bin with 34359738368 bytes behind 0")
    let plain = try folder.write(tar.finished, "x.tar")
    #expect(
      thrownError { _ = try ImageSource(path: plain) }
        == ArchiveError.brokenTar(path: plain, reason: "data_batch_1.bin is cut off"))
  }

  @Test func aLabelOfMegabytes() throws {
    var tar = TarBytes()
    tar.add("1.png", Fixtures.rgbPNG)
    tar.add("1.json", Data(repeating: 0x20, count: 1 << 20 + 1))
    let path = try folder.write(tar.finished, "x.tar")
    #expect(
      thrownError { _ = try ImageSource(path: path) }
        == DatasetError.brokenLabels(
          path: path + "/1.json", reason: "it has 1048577 bytes, more than 1048576 for one label"))
  }

  /// One flipped byte of a stored array is found by whoever reads an image, and by nobody who reads
  /// only the header.
  @Test func aFlippedByteOfAStoredArray() throws {
    let path = folder.path + "/a.npz"
    let writer = try NPZWriter(path)
    try writer.add("arr_0", NumPyArray([UInt8](repeating: 7, count: 36), shape: [3, 2, 2, 3]))
    try writer.finish()
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let place = try #require(bytes.firstRange(of: Data([7, 7, 7, 7]))).lowerBound
    bytes[place + 30] ^= 4
    try bytes.write(to: URL(fileURLWithPath: path))
    let images = try ImageCollections.open(path)
    #expect(try images.size(of: 0) == ImageSize(width: 2, height: 2))
    for index in [0, 2, 0] {
      #expect(
        thrownError { _ = try images.image(index) }
          == ArchiveError.wrongChecksum(path: path, name: "arr_0.npy"))
    }
  }

  @Test func arraysOfAbsurdImages() throws {
    let header = NumPyHeader(type: .uint8, shape: [1, 100_000, 100_000, 3]).encoded
    let path = try folder.write(Data(header), "a.npy")
    guard case ArchiveError.wrongArraySize? = thrownError(by: { _ = try ArrayImages(path: path) })
    else {
      Issue.record("an array of 30 GB in a file of 128 bytes was taken")
      return
    }
  }
}
