import ErrorSupport
import FileFormats
import FixtureSupport
import Foundation
import SystemSupport
import Testing

@Suite struct NumPyArrayTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func read(_ name: String) throws -> NumPyArray {
    try NumPyArray.read(ArrayFixtures.path(name))
  }

  @Test(arguments: NumPyType.allCases) func everyTypeOfNumPy(type: NumPyType) throws {
    let array = try read("\(type.rawValue).npy")
    #expect(array.type == type && array.shape == [2, 3])
    #expect(array.doubles == ArrayFixtures.values(6, type))
    #expect(array.floats == ArrayFixtures.values(6, type).map { Float($0) })
    let integers = ArrayFixtures.values(6, type).map { Int($0) }
    #expect(array.integers == (type == .float32 || type == .float64 ? nil : integers))
  }

  @Test(arguments: [
    ("big-i2", NumPyType.int16), ("big-u4", .uint32), ("big-f4", .float32), ("big-f8", .float64),
  ]) func bigEndian(name: String, type: NumPyType) throws {
    let array = try read("\(name).npy")
    #expect(array.type == type && array.shape == [3, 2])
    #expect(array.doubles == ArrayFixtures.values(6, type))
  }

  @Test func fortranOrder() throws {
    let array = try read("fortran.npy")
    #expect(array.shape == [2, 3, 4] && array.doubles == ArrayFixtures.values(24, .float64))
    let big = try read("big-fortran.npy")
    #expect(big.shape == [3, 5] && big.doubles == ArrayFixtures.values(15, .int32))
  }

  @Test func noAxesAndNoElements() throws {
    let scalar = try read("scalar.npy")
    #expect(scalar.shape == [] && scalar.doubles == [2.5])
    let empty = try read("empty.npy")
    #expect(empty.shape == [0, 3] && empty.count == 0 && empty.doubles == [])
  }

  @Test(arguments: ["version-2.npy", "version-3.npy"]) func laterVersions(name: String) throws {
    #expect(try read(name).integers == [-5, 2, 9, 16])
  }

  /// Our bytes are NumPy's, header and all.
  @Test(arguments: ["b1", "i1", "u2", "i8", "f4", "f8", "scalar", "empty", "images"])
  func writesWhatNumPyWrites(name: String) throws {
    let path = folder.path + "/written.npy"
    try read("\(name).npy").write(to: path)
    let golden = try Data(contentsOf: URL(fileURLWithPath: ArrayFixtures.path("\(name).npy")))
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == golden)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["written.npy"])
  }

  @Test func initialisersAndTexts() {
    #expect(NumPyArray([1.5, -2], shape: [2]).doubles == [1.5, -2])
    #expect(NumPyArray([Float(0.1), 3], shape: [2, 1]).floats == [0.1, 3])
    #expect(NumPyArray([7, -9], shape: [2]).integers == [7, -9])
    #expect(NumPyArray(text: "tf1 é").text == "tf1 é")
    #expect(NumPyArray([7, -9], shape: [2]).text == nil)
    #expect(NumPyArray([1.5, -2], shape: [2]).summary == "float64 [2]")
  }

  @Test func unwritablePathIsNamed() {
    let path = folder.path + "/no/such.npy"
    let error = errorIfThrown {
      try NumPyArray([1], shape: [1]).write(to: path)
    }
    #expect(error == FileError.unwritable(path: path, reason: "No such file or directory"))
  }
}

/// One malformed file a test.
@Suite struct NumPyRejectionTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A file of this dictionary and these elements; `broken` is what its error must be.
  private func error(
    _ header: String, elements: Int = 0, version: [UInt8] = [1, 0], length: Int? = nil
  ) throws -> (any Error)? {
    let count = length ?? header.utf8.count
    let path = try folder.write(
      Data([0x93] + Array("NUMPY".utf8) + version)
        + Data([UInt8(count & 255), UInt8(count >> 8)] + (version[0] > 1 ? [0, 0] : []))
        + Data(header.utf8) + Data(count: elements), "a.npy")
    return errorIfThrown { _ = try NumPyArray.read(path) }
  }

  private func expectBroken(
    _ header: String, _ reason: String, version: [UInt8] = [1, 0], length: Int? = nil,
    at location: SourceLocation = #_sourceLocation
  ) throws {
    let error = try error(header, elements: 8, version: version, length: length)
    guard case ArchiveError.brokenNumPyHeader(folder.path + "/a.npy", let found)? = error else {
      Issue.record("found \(String(describing: error))", sourceLocation: location)
      return
    }
    #expect(found.contains(reason), sourceLocation: location)
  }

  @Test func literalHeaderIsRead() throws {
    #expect(
      try error("{\"shape\":(2,),'descr':'<i4','fortran_order':False}\n", elements: 8) == nil)
    #expect(
      try error("{'descr': '<f8', 'fortran_order': True, 'shape': (), }  \n", elements: 8) == nil)
  }

  @Test func otherFile() throws {
    let path = try folder.write(Data("PNG or so".utf8), "a.npy")
    let error = errorIfThrown { _ = try NumPyArray.read(path) }
    #expect(error == ArchiveError.notNumPy(path: path))
  }

  @Test func emptyFile() throws {
    let path = try folder.write(Data(), "a.npy")
    let error = errorIfThrown { _ = try NumPyArray.read(path) }
    #expect(error == ArchiveError.notNumPy(path: path))
  }

  @Test func everyTruncation() throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: ArrayFixtures.path("f8.npy")))
    for size in 0..<whole.count {
      let path = try folder.write(whole.prefix(size), "a.npy")
      let error = errorIfThrown { _ = try NumPyArray.read(path) }
      switch error {
      case ArchiveError.notNumPy?: #expect(size < 8)
      case ArchiveError.brokenNumPyHeader?: #expect((8..<128).contains(size))
      case ArchiveError.wrongArraySize(path, 48, let found)?: #expect(size == 128 + found)
      default: Issue.record("\(size) bytes: \(String(describing: error))")
      }
    }
  }

  @Test func bytesBehindTheElements() throws {
    let error = try error("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}\n", elements: 9)
    #expect(
      error == ArchiveError.wrongArraySize(path: folder.path + "/a.npy", expected: 8, found: 9))
  }

  @Test func unknownVersion() throws {
    try expectBroken("{}\n", "format 4.0", version: [4, 0])
    try expectBroken("{}\n", "format 1.1", version: [1, 1])
  }

  @Test func headerLongerThanTheFile() throws {
    try expectBroken("{'descr'", "it has 16 bytes, expected 60000", length: 60000)
  }

  @Test func missingKey() throws {
    try expectBroken("{'descr': '<f8', 'shape': (1,)}\n", "expected descr, fortran_order and shape")
  }

  @Test func unknownKey() throws {
    try expectBroken(
      "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'x': 'y'}\n", "keys")
  }

  @Test func keyTwice() throws {
    try expectBroken("{'descr': '<f8', 'descr': '<f8'}\n", "key descr comes twice")
  }

  @Test func orderThatIsNoTruth() throws {
    try expectBroken(
      "{'descr': '<f8', 'fortran_order': 'no', 'shape': (1,)}\n", "neither True nor False")
  }

  @Test(arguments: ["1", "(1)", "(-1,)", "(1.5,)", "(1 2)", "(1,", "[1]"])
  func shapeThatIsNoTuple(shape: String) throws {
    let error = try error("{'descr': '<f8', 'fortran_order': False, 'shape': \(shape)}\n")
    guard case ArchiveError.brokenNumPyHeader? = error else {
      Issue.record("found \(String(describing: error))")
      return
    }
  }

  @Test func absurdShape() throws {
    try expectBroken(
      "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}\n",
      "larger than any memory")
  }

  @Test func lineWithoutEnd() throws {
    try expectBroken("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", "line's end")
  }

  @Test func textBehindTheDictionary() throws {
    try expectBroken("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)} x\n", "line's end")
  }

  @Test(arguments: ["|O", "<U4", "|S3", "<c8", "<f2", "=f8", "|f8", "f8", "<f16", ""])
  func unsupportedTypes(code: String) throws {
    let error = try error("{'descr': '\(code)', 'fortran_order': False, 'shape': (1,)}\n")
    #expect(error == ArchiveError.unsupportedElements(path: folder.path + "/a.npy", type: code))
  }

  @Test(arguments: [("objects.npy", "|O"), ("structure.npy", "a structure")])
  func unsupportedFilesOfNumPy(name: String, type: String) {
    let path = ArrayFixtures.path(name)
    let error = errorIfThrown { _ = try NumPyArray.read(path) }
    #expect(error == ArchiveError.unsupportedElements(path: path, type: type))
  }
}
