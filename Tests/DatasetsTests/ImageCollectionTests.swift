import Datasets
import ErrorSupport
import FileFormats
import FixtureSupport
import Foundation
import Images
import SystemSupport
import Testing

@Suite struct ImageCollectionTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func png(_ image: RGBImage) throws -> Data {
    let path = folder.path + "/.work.png"
    try ImageFile.writePNG(image, to: path)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try Data(contentsOf: URL(fileURLWithPath: path))
  }

  private func images(_ collection: any ImageCollection) throws -> [RGBImage] {
    try (0..<collection.count).map { try collection.image($0) }
  }

  private static let five = (0..<5).map(ArrayFixtures.image)

  @Test func foldersAtAnyDepth() throws {
    for (index, name) in ["b/2.png", "a.png", "b/c/d/1.PNG", ".hidden/x.png"].enumerated() {
      try folder.write(png(Self.five[index]), name)
    }
    try folder.write(Fixtures.rgbJPEG, "b/10.jpeg")
    try folder.write(Fixtures.alphaPNG, "b/grey.png")
    try folder.write(Data("no image".utf8), "b/notes.txt")
    let collection = try FolderImages(path: folder.path)
    #expect(collection.names == ["a.png", "b/10.jpeg", "b/2.png", "b/c/d/1.PNG", "b/grey.png"])
    #expect(try collection.image(0) == Self.five[1] && collection.image(3) == Self.five[2])
    #expect(try collection.size(of: 1) == ImageSize(width: 24, height: 16))
    #expect(try collection.image(4) == ImageFile.decode(Fixtures.alphaPNG, name: "alpha"))
    #expect(try ImageCollections.open(folder.path).count == 5)
  }

  /// Python's zipfile in another order than the names', deflated, sizes behind the entries.
  @Test func zipOfPython() throws {
    let collection = try ImageCollections.open(ArrayFixtures.path("descriptors.zip"))
    #expect(collection is ArchiveImages)
    #expect((0..<collection.count).map(collection.name) == ["b/0.png", "b/1.png"])
    #expect(try images(collection) == Array(Self.five.prefix(2)))
    #expect(try collection.requireOneSize() == ImageSize(width: 4, height: 3))
  }

  @Test(arguments: ["stored.npz", "deflated.npz", "named.npz", "images.npy", "adm.npz"])
  func arrays(name: String) throws {
    let collection = try ImageCollections.open(ArrayFixtures.path(name))
    #expect(try images(collection) == Self.five)
    #expect(try collection.requireOneSize() == ImageSize(width: 4, height: 3))
  }

  /// Rising, back within what is kept, and back to the start.
  @Test(arguments: [1, 80, 1 << 20]) func deflatedArraysInAnyOrder(keptBytes: Int) throws {
    let path = ArrayFixtures.path("deflated.npz")
    let collection = try ArrayImages(path: path, keptBytes: keptBytes)
    for index in [3, 2, 4, 0, 1, 4, 4, 2] {
      #expect(try collection.image(index) == Self.five[index])
    }
  }

  @Test func threadsReadTheSame() throws {
    for name in ["deflated.npz", "stored.npz", "descriptors.zip"] {
      let collection = try ImageCollections.open(ArrayFixtures.path(name))
      DispatchQueue.concurrentPerform(iterations: 64) { turn in
        let index = turn * 7 % collection.count
        let image = try? collection.image(index)
        #expect(image == Self.five[index])
      }
    }
  }

  @Test func cifarInAllItsForms() throws {
    try CIFARFiles.write(to: folder, under: "set/cifar-10-batches-bin")
    let archive = try folder.write(Fixtures.cifarArchive, "cifar.tar.gz")
    let train = try CIFAR10Dataset(path: archive)
    for path in [folder.path + "/set", folder.path + "/set/cifar-10-batches-bin", archive] {
      let collection = try ImageCollections.open(path)
      #expect(collection.count == 10)
      #expect(try collection.image(7) == train.image(7).image)
      let test = try ImageCollections.open(path, split: .test)
      #expect(test.count == 2)
      #expect(try test.image(1)[5, 3] == [21, 3, 5])
    }
    let file = folder.path + "/set/cifar-10-batches-bin/test_batch.bin"
    let single = try ImageCollections.open(file)
    #expect(single.count == 2)
    #expect(try single.image(1)[5, 3] == [21, 3, 5])
    #expect(try single.requireOneSize() == ImageSize(width: 32, height: 32))
  }

  @Test func packedIsTheFolder() throws {
    var names: [String] = []
    for (index, image) in Self.five.enumerated() {
      names.append("00000\(index / 2)/00000\(index).png")
      try folder.write(png(image), names[index])
    }
    let zip = folder.path + "/out/a.zip"
    let npz = folder.path + "/out/a.npz"
    try folder.makeFolder("out")
    var done: [Int] = []
    try PackedImages.pack(names, in: folder.path, as: .zip, to: zip) { done.append($0) }
    try PackedImages.pack(names, in: folder.path, labels: [4, 3, 2, 1, 0], as: .npz, to: npz)
    #expect(done == [1, 2, 3, 4, 5])
    let packed = try ImageCollections.open(zip)
    #expect((0..<5).map(packed.name) == names)
    #expect(try images(packed) == Self.five)
    #expect(try images(ImageCollections.open(npz)) == Self.five)
    #expect(try NPZFile(npz).array("arr_1").integers == [4, 3, 2, 1, 0])
    let first = try Data(contentsOf: URL(fileURLWithPath: zip))
    try PackedImages.pack(names, in: folder.path, as: .zip, to: zip)
    #expect(try Data(contentsOf: URL(fileURLWithPath: zip)) == first)
  }

  @Test func moreEntriesThanTheShortListHolds() throws {
    let path = folder.path + "/many.zip"
    let zip = try ZipWriter(path)
    for index in 0..<65_600 { try zip.add("\(index).png", [UInt8(index & 255)]) }
    try zip.finish()
    // The images are broken ones; they are listed all the same.
    #expect(try ArchiveImages(path: path).count == 65_600)
  }

  @Test func formatsByEnding() {
    #expect(PackedImages.Format(path: "a/b.zip") == .zip)
    #expect(PackedImages.Format(path: "b.npz") == .npz)
    #expect(PackedImages.Format(path: "samples") == nil)
  }
}

/// One bad input a test.
@Suite struct ImageCollectionRejectionTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func error(_ path: String) -> (any Error)? {
    errorIfThrown {
      let collection = try ImageCollections.open(path)
      for index in 0..<collection.count { _ = try collection.image(index) }
    }
  }

  private func npz(_ arrays: [(String, NumPyArray)]) throws -> String {
    let path = folder.path + "/a.npz"
    let writer = try NPZWriter(path)
    for (name, array) in arrays { try writer.add(name, array) }
    try writer.finish()
    return path
  }

  @Test func nothingThere() {
    #expect(error(folder.path + "/none") == FileError.notFound(path: folder.path + "/none"))
  }

  @Test func emptyFolder() {
    #expect(error(folder.path) == DatasetError.emptyFolder(path: folder.path))
  }

  @Test func folderWithoutImages() throws {
    try folder.write(Data("x".utf8), "deep/er/notes.txt")
    #expect(
      error(folder.path)
        == DatasetError.noImages(path: folder.path, found: LeftOut([".txt": 1])))
  }

  @Test func folderThatContainsItself() throws {
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/again", withDestinationPath: folder.path)
    guard case FileError.unreadable(_, let reason)? = error(folder.path) else {
      Issue.record("no error for a loop")
      return
    }
    #expect(reason.contains("a link leads back up"))
  }

  @Test func zipWithoutImages() throws {
    let path = folder.path + "/a.zip"
    let zip = try ZipWriter(path)
    try zip.add("notes.txt", Array("x".utf8))
    try zip.add(".hidden/a.png", Fixtures.rgbPNG)
    try zip.finish()
    #expect(
      error(path)
        == DatasetError.noImages(path: path, found: LeftOut([".txt": 1, "hidden": 1])))
  }

  @Test func mixedSizesNameBoth() throws {
    try folder.write(Fixtures.rgbPNG, "a.png")
    try folder.write(Fixtures.rgbJPEG, "b.jpg")
    try ImageFile.writePNG(ArrayFixtures.image(0), to: folder.path + "/c.png")
    let collection = try FolderImages(path: folder.path)
    let error = errorIfThrown { _ = try collection.requireOneSize() }
    #expect(
      error
        == ImageError.mixedSizes(
          path: folder.path, first: "a.png", firstSize: ImageSize(width: 24, height: 16),
          second: "c.png", secondSize: ImageSize(width: 4, height: 3)))
    #expect("\(try #require(error))".contains("a.png is 24 x 16, c.png is 4 x 3"))
    #expect("\(try #require(error))".contains("--mixed-sizes"))
    #expect(try collection.requireOneSize(0..<2) == ImageSize(width: 24, height: 16))
  }

  @Test func packingMixedSizes() throws {
    try folder.write(Fixtures.rgbPNG, "a.png")
    try ImageFile.writePNG(ArrayFixtures.image(0), to: folder.path + "/c.png")
    let path = folder.path + "/a.npz"
    let error = errorIfThrown {
      try PackedImages.pack(["a.png", "c.png"], in: folder.path, as: .npz, to: path)
    }
    guard case ImageError.mixedSizes(path, _, _, "c.png", ImageSize(width: 4, height: 3))? = error
    else {
      Issue.record("found \(String(describing: error))")
      return
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 2)
  }

  @Test func npzOfFloats() throws {
    let path = try npz([
      ("arr_0", NumPyArray([Float](repeating: 0, count: 12), shape: [1, 2, 2, 3]))
    ])
    #expect(
      error(path)
        == DatasetError.notImages(path: path + "/arr_0.npy", found: "float32 [1, 2, 2, 3]"))
  }

  @Test(arguments: [[12], [2, 2, 3], [1, 3, 2, 2], [3, 2, 2, 1], [0, 2, 2, 3]])
  func wrongRankOrChannels(shape: [Int]) throws {
    let bytes = [UInt8](repeating: 0, count: shape.reduce(1, *))
    let path = try npz([("arr_0", NumPyArray(bytes, shape: shape))])
    #expect(
      error(path) == DatasetError.notImages(path: path + "/arr_0.npy", found: "uint8 \(shape)"))
  }

  @Test func npzWithoutArr0() throws {
    let path = try npz([
      ("mu", NumPyArray([1.0], shape: [1])), ("sigma", NumPyArray([1.0], shape: [1, 1])),
    ])
    #expect(
      error(path) == ArchiveError.missingArray(path: path, name: "arr_0", found: ["mu", "sigma"]))
  }

  @Test func truncatedNpy() throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: ArrayFixtures.path("images.npy")))
    let path = try folder.write(whole.dropLast(), "a.npy")
    #expect(error(path) == ArchiveError.wrongArraySize(path: path, expected: 180, found: 179))
  }

  @Test func brokenPNGInZipIsNamed() throws {
    let path = folder.path + "/a.zip"
    let zip = try ZipWriter(path)
    try zip.add("0/good.png", Fixtures.rgbPNG)
    try zip.add("1/bad.png", Fixtures.rgbPNG.dropLast(30))
    try zip.finish()
    guard case ImageError.brokenImage(path + "/1/bad.png", _)? = error(path) else {
      Issue.record("found \(String(describing: error(path)))")
      return
    }
  }

  @Test(arguments: ["descriptors.zip", "stored.npz"]) func truncatedArchive(name: String) throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: ArrayFixtures.path(name)))
    let path = try folder.write(whole.dropLast(60), name)
    guard case ArchiveError.brokenZip(path, let reason)? = error(path) else {
      Issue.record("found \(String(describing: error(path)))")
      return
    }
    #expect(reason.contains("cut off"))
  }

  /// A deflated array's checksum is compared when its last image has been read.
  @Test func deflatedArrayWithWrongChecksum() throws {
    var data = try Data(contentsOf: URL(fileURLWithPath: ArrayFixtures.path("deflated.npz")))
    let list = try #require(data.firstRange(of: Data([0x50, 0x4B, 1, 2])))
    data[list.lowerBound + 16] ^= 1
    let path = try folder.write(data, "a.npz")
    #expect(
      error(path)
        == ArchiveError.brokenZip(path: path, reason: "the checksum of arr_0.npy is wrong"))
  }

  @Test func unknownFile() throws {
    let path = try folder.write(Data("GIF89a".utf8), "a.gif")
    #expect(error(path) == DatasetError.unknownCollection(path: path))
  }

  @Test func truncatedRecords() throws {
    let path = try folder.write(CIFARFiles.record(0).dropLast(), "test_batch.bin")
    #expect(error(path) == DatasetError.truncated(path: path, size: 3072, recordSize: 3073))
  }
}
