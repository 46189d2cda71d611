import Datasets
import ErrorSupport
import FileFormats
import FixtureSupport
import Foundation
import SystemSupport
import Testing

@Suite struct CIFAR10DatasetTests {
  let folder: TemporaryFolder
  let bins: String

  init() throws {
    folder = try TemporaryFolder()
    try CIFARFiles.write(to: folder, under: "cifar-10-batches-bin")
    bins = folder.path + "/cifar-10-batches-bin"
  }

  @Test func readsRecordsInFileOrder() throws {
    let data = try CIFAR10Dataset(path: bins)
    #expect(data.count == 10)
    #expect(data.resolution == 32)
    #expect(data.classNames[3] == "cat" && data.classNames.count == 10)
    for index in 0..<data.count {
      let (image, label) = try data.image(index)
      #expect(label == index)
      #expect(image[0, 0] == [10 + index, 0, 0])
      #expect(image[5, 17] == [10 + index, 17, 5])
    }
    let test = try CIFAR10Dataset(path: bins, split: .test)
    #expect(test.count == 2)
    #expect(try test.image(1).image[3, 4] == [21, 4, 3])
  }

  @Test func valuesAreThoseOfThePixels() throws {
    let data = try CIFAR10Dataset(path: bins)
    for index in [0, 9] {
      var values = [Float](repeating: .nan, count: data.imageSize)
      let label = try values.withUnsafeMutableBufferPointer {
        (buffer) throws in try data.read(index, normalizedInto: buffer)
      }
      let (image, wanted) = try data.image(index)
      #expect(label == wanted)
      #expect(values == image.pixels.map { Float($0) / 127.5 - 1 })
    }
  }

  @Test func parentFolderAndArchiveGiveTheSameData() throws {
    let archive = try folder.write(Fixtures.cifarArchive, "cifar-10-binary.tar.gz")
    let reference = try CIFAR10Dataset(path: bins)
    for path in [folder.path, archive] {
      let data = try CIFAR10Dataset(path: path)
      #expect(data.contentDigest == reference.contentDigest)
      for index in 0..<10 {
        let (got, wanted) = (try data.image(index), try reference.image(index))
        #expect(got.image == wanted.image && got.label == wanted.label)
      }
    }
  }

  @Test func digestFollowsTheContentAndNotThePath() throws {
    let first = try CIFAR10Dataset(path: bins).contentDigest
    let copy = try TemporaryFolder()
    try CIFARFiles.write(to: copy, under: "elsewhere")
    #expect(try CIFAR10Dataset(path: copy.path + "/elsewhere").contentDigest == first)
    #expect(try CIFAR10Dataset(path: bins, split: .test).contentDigest != first)
    var changed = CIFARFiles.record(4) + CIFARFiles.record(5)
    changed[3073 + 2000] ^= 1
    try copy.write(changed, "elsewhere/data_batch_3.bin")
    #expect(try CIFAR10Dataset(path: copy.path + "/elsewhere").contentDigest != first)
  }

  @Test func filesMayHoldDifferentNumbersOfRecords() throws {
    try folder.write(CIFARFiles.record(7), "cifar-10-batches-bin/data_batch_2.bin")
    let data = try CIFAR10Dataset(path: bins)
    #expect(data.count == 9)
    #expect(try (0..<9).map { try data.image($0).label } == [0, 1, 7, 4, 5, 6, 7, 8, 9])
  }

  @Test func missingFolderIsNamed() {
    let path = folder.path + "/nowhere"
    let error = errorIfThrown { _ = try CIFAR10Dataset(path: path) }
    #expect(error == FileError.notFound(path: path))
  }

  @Test func missingFileIsNamed() throws {
    let file = bins + "/data_batch_3.bin"
    try FileManager.default.removeItem(atPath: file)
    let error = errorIfThrown { _ = try CIFAR10Dataset(path: bins) }
    #expect(error == FileError.notFound(path: file))
  }

  @Test func folderInPlaceOfAFileIsNamed() throws {
    let file = bins + "/data_batch_1.bin"
    try FileManager.default.removeItem(atPath: file)
    try FileManager.default.createDirectory(atPath: file, withIntermediateDirectories: false)
    let error = errorIfThrown { _ = try CIFAR10Dataset(path: bins) }
    #expect(error == FileError.notRegular(path: file, found: "a folder"))
  }

  @Test(arguments: [0, 3072, 3074, 6145]) func truncatedFile(size: Int) throws {
    let bytes = (CIFARFiles.record(1) + CIFARFiles.record(2) + CIFARFiles.record(3)).prefix(size)
    let file = try folder.write(Data(bytes), "cifar-10-batches-bin/data_batch_3.bin")
    let error = errorIfThrown { _ = try CIFAR10Dataset(path: bins) }
    #expect(error == DatasetError.truncated(path: file, size: size, recordSize: 3073))
    let text = "\(try #require(error))"
    #expect(text.contains(file) && text.contains("\(size) bytes") && text.contains("3073"))
  }

  @Test func labelOutOfRange() throws {
    var bytes = CIFARFiles.record(1) + CIFARFiles.record(2)
    bytes[3073] = 10
    let file = try folder.write(bytes, "cifar-10-batches-bin/data_batch_5.bin")
    let error = errorIfThrown { _ = try CIFAR10Dataset(path: bins) }
    #expect(error == DatasetError.labelOutOfRange(path: file, record: 1, label: 10, classes: 10))
  }

  @Test func truncatedArchive() throws {
    let path = try folder.write(Fixtures.cifarArchive.prefix(400), "cut.tar.gz")
    let error = errorIfThrown { _ = try CIFAR10Dataset(path: path) }
    guard case ArchiveError.brokenArchive(path, let reason)? = error else {
      Issue.record("found \(String(describing: error))")
      return
    }
    #expect(!reason.isEmpty)
  }

  @Test func fileThatIsNoArchive() throws {
    let path = try folder.write(Data("no archive at all, only some words".utf8), "words.tar.gz")
    let error = errorIfThrown { _ = try CIFAR10Dataset(path: path) }
    guard case ArchiveError.brokenArchive(path, _)? = error else {
      Issue.record("found \(String(describing: error))")
      return
    }
  }

  /// An archive of two empty blocks is whole and holds nothing.
  @Test func archiveWithoutTheFiles() throws {
    let header = Self.tarHeader(name: "readme.txt")
    let path = try folder.write(header + Data(count: 1024), "empty.tar")
    let error = errorIfThrown { _ = try CIFAR10Dataset(path: path) }
    #expect(error == ArchiveError.missingEntry(archive: path, name: "data_batch_1.bin"))
  }

  /// A ustar header of an empty file.
  private static func tarHeader(name: String) -> Data {
    var block = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at offset: Int) {
      for (index, byte) in text.utf8.enumerated() { block[offset + index] = byte }
    }
    put(name, at: 0)
    put("0000644", at: 100)
    put("00000000000", at: 124)
    put("00000000000", at: 136)
    put("        0", at: 148)
    put("ustar", at: 257)
    put("00", at: 263)
    let sum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
    put(String(repeating: "0", count: 6 - sum.count) + sum, at: 148)
    block[154] = 0
    return Data(block)
  }
}
