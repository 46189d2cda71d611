import ErrorSupport
import FileFormats
import FixtureSupport
import Foundation
import Images
import SystemSupport
import Testing

@Suite struct NPZTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func data(_ path: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path))
  }

  @Test(arguments: ["stored.npz", "deflated.npz"]) func readsNumPys(name: String) throws {
    let file = try NPZFile(ArrayFixtures.path(name))
    #expect(file.names == ["arr_0", "arr_1"])
    let images = try file.array("arr_0")
    #expect(images.type == .uint8 && images.shape == [5, 3, 4, 3])
    #expect(images.bytes == (0..<5).flatMap { ArrayFixtures.image($0).pixels })
    #expect(try file.array("arr_1").integers == [0, 2, 4, 6, 8])
    #expect(try file.arrayIfPresent("arr_2") == nil)
  }

  @Test func missingArrayIsNamed() throws {
    let path = ArrayFixtures.path("adm.npz")
    let error = errorIfThrown { _ = try NPZFile(path).array("std") }
    #expect(
      error
        == ArchiveError.missingArray(
          path: path, name: "std", found: ["arr_0", "mu", "sigma", "mu_s", "sigma_s"]))
  }

  private func write(_ name: String, wideFrom: Int = 0xFFFF_FFFF) throws -> String {
    let path = "\(folder.path)/\(name)"
    let writer = try NPZWriter(path, wideFrom: wideFrom)
    try writer.add("mu", NumPyArray([1.5, 2.5], shape: [2]))
    try writer.begin("long", .int32, shape: [3, 1])
    try writer.append([1, 0, 0, 0, 2, 0])
    try writer.append([0, 0, 0xFF, 0xFF, 0xFF, 0xFF])
    try writer.add("none", NumPyArray([Float](), shape: [0]))
    try writer.finish()
    return path
  }

  /// 300 lies among the sizes and offsets of the file: some are in ZIP64 records, some not.
  @Test(arguments: [0xFFFF_FFFF, 300, 150, 1]) func writtenIsReadBack(wideFrom: Int) throws {
    let file = try NPZFile(write("a.npz", wideFrom: wideFrom))
    #expect(file.names == ["mu", "long", "none"])
    #expect(try file.array("mu") == NumPyArray([1.5, 2.5], shape: [2]))
    let long = try file.array("long")
    #expect(long.integers == [1, 2, -1] && long.shape == [3, 1])
    #expect(try file.array("none").shape == [0])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.npz"])
  }

  @Test func bytesAreAFunctionOfTheArrays() throws {
    #expect(try data(write("a.npz")) == data(write("b.npz")))
  }

  /// A small file to the byte: whoever changes the writer changes files that users compare.
  @Test func bytesOfAZip() throws {
    let path = folder.path + "/a.zip"
    let zip = try ZipWriter(path)
    try zip.add("0/x", Array("hello".utf8))
    try zip.finish()
    let shared: [UInt8] = [
      0, 0, 0, 0, 0, 0, 0x21, 0, 0x86, 0xA6, 0x10, 0x36, 5, 0, 0, 0, 5, 0, 0, 0,
    ]
    let local = [0x50, 0x4B, 3, 4, 20, 0] + shared + [3, 0, 0, 0] + Array("0/xhello".utf8)
    let listed: [UInt8] =
      [0x50, 0x4B, 1, 2, 0x2D, 3, 20, 0] + shared + [
        3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xA4, 0x81,
      ]
      + [0, 0, 0, 0] + Array("0/x".utf8)
    let end: [UInt8] = [0x50, 0x4B, 5, 6, 0, 0, 0, 0, 1, 0, 1, 0, 49, 0, 0, 0, 38, 0, 0, 0, 0, 0]
    #expect(try data(path) == Data(local + listed + end))
  }

  @Test func unfinishedFileLeavesTheOldOne() throws {
    let path = try folder.write(Data("old".utf8), "a.npz")
    do {
      let writer = try NPZWriter(path)
      try writer.add("mu", NumPyArray([1.5, 2.5], shape: [2]))
    }
    #expect(try data(path) == Data("old".utf8))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.npz"])
  }

  @Test func admLayout() throws {
    let path = folder.path + "/adm.npz"
    let writer = try ImageArrayWriter(path, count: 5, size: ImageSize(width: 4, height: 3))
    for index in 0..<5 { try writer.append(ArrayFixtures.image(index), name: "\(index)") }
    try writer.finish(labels: [0, 2, 4, 6, 8])
    let (ours, numpys) = (try NPZFile(path), try NPZFile(ArrayFixtures.path("stored.npz")))
    #expect(ours.names == numpys.names)
    for name in ours.names { #expect(try ours.array(name) == numpys.array(name)) }
  }
}

/// One damage a test.
@Suite struct ZipRejectionTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func golden(_ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: ArrayFixtures.path(name)))
  }

  /// Reads everything in a file of these bytes.
  private func error(_ data: Data) throws -> (any Error)? {
    let path = try folder.write(data, "a.npz")
    return errorIfThrown {
      let file = try NPZFile(path)
      for name in file.names { _ = try file.array(name) }
    }
  }

  private func expectBroken(
    _ data: Data, _ reason: String, at location: SourceLocation = #_sourceLocation
  ) throws {
    let error = try error(data)
    guard case ArchiveError.brokenZip(folder.path + "/a.npz", let found)? = error else {
      Issue.record("found \(String(describing: error))", sourceLocation: location)
      return
    }
    #expect(found.contains(reason), "\(found)", sourceLocation: location)
  }

  @Test(arguments: ["stored.npz", "deflated.npz", "descriptors.zip"])
  func everyTruncation(name: String) throws {
    let whole = try golden(name)
    for size in 1..<whole.count { try expectBroken(whole.prefix(size), "cut off") }
    #expect(
      try error(Data())
        == FileError.wrongKind(path: folder.path + "/a.npz", found: .empty, use: .zip))
  }

  /// A changed byte is noticed, or is in what nobody reads (times, versions, owners): never a crash.
  @Test(arguments: ["stored.npz", "deflated.npz"]) func flippedBytes(name: String) throws {
    let whole = try golden(name)
    let content = try NPZFile(ArrayFixtures.path(name)).array("arr_0")
    var failures = 0
    for position in whole.indices {
      var changed = whole
      changed[position] ^= 0x41
      if try error(changed) != nil {
        failures += 1
      } else if let array = try NPZFile(folder.path + "/a.npz").arrayIfPresent("arr_0") {
        #expect(array == content, "byte \(position)")
      }
    }
    #expect(failures > whole.count * 2 / 3)
  }

  @Test func wrongChecksum() throws {
    var data = try golden("stored.npz")
    let pixels = try #require(data.firstRange(of: Data(ArrayFixtures.image(2).pixels)))
    data[pixels.lowerBound] ^= 1
    try expectBroken(data, "the checksum of arr_0.npy is wrong")
  }

  @Test func encryptedEntry() throws {
    var data = try golden("stored.npz")
    let list = try #require(data.firstRange(of: Data([0x50, 0x4B, 1, 2])))
    data[list.lowerBound + 8] |= 1
    try expectBroken(data, "arr_0.npy is encrypted")
  }

  @Test func unknownMethod() throws {
    var data = try golden("stored.npz")
    let list = try #require(data.firstRange(of: Data([0x50, 0x4B, 1, 2])))
    data[list.lowerBound + 10] = 12
    try expectBroken(data, "packed by method 12")
  }

  @Test func doubledEntry() throws {
    var data = try golden("stored.npz")
    let name = try #require(data.range(of: Data("arr_1.npy".utf8), options: .backwards))
    data.replaceSubrange(name, with: Data("arr_0.npy".utf8))
    try expectBroken(data, "two entries arr_0.npy")
  }

  @Test func deflatedDataDamaged() throws {
    var data = try golden("deflated.npz")
    let name = try #require(data.firstRange(of: Data("arr_0.npy".utf8)))
    for offset in 25..<60 { data[name.upperBound + offset] = 0xFF }
    try expectBroken(data, "arr_0.npy")
  }

  @Test func wideRecordDamaged() throws {
    let path = folder.path + "/wide.npz"
    let writer = try NPZWriter(path, wideFrom: 1)
    try writer.add("mu", NumPyArray([1.5], shape: [1]))
    try writer.finish()
    var data = try Data(contentsOf: URL(fileURLWithPath: path))
    let record = try #require(data.firstRange(of: Data([0x50, 0x4B, 6, 6])))
    data[record.lowerBound] = 0
    try expectBroken(data, "ZIP64 record")
  }
}
