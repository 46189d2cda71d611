import ErrorSupport
import FixtureSupport
import Foundation
import SystemSupport
import Testing

@Suite("Files that are something else") struct FileKindTests {
  private let scratch: TemporaryFolder

  init() throws { scratch = try TemporaryFolder() }

  /// A zip's first entry.
  private static func zip(_ name: String) -> [UInt8] {
    [0x50, 0x4B, 3, 4] + [UInt8](repeating: 0, count: 22)
      + [UInt8(name.utf8.count), 0, 0, 0] + Array(name.utf8)
  }

  private static let starts: [(FileKind, [UInt8])] = [
    (.empty, []), (.safetensors, [2, 0, 0, 0, 0, 0, 0, 0] + Array("{}".utf8)),
    // A header of 640 bytes begins as a pickle does.
    (.safetensors, [0x80, 2, 0, 0, 0, 0, 0, 0] + Array("{\"a\"".utf8)),
    (.pytorch, zip("archive/data.pkl")), (.pytorch, zip("model/version")), (.zip, zip("a.npy")),
    (.zip, [0x50, 0x4B, 5, 6]), (.pickle, [0x80, 2, 0x8A, 10]),
    (.pointer, Array("version https://git-lfs.github.com/spec/v1\noid sha256:00\n".utf8)),
    (.page, Array("<!DOCTYPE html><html>".utf8)), (.page, Array("\n <HTML>".utf8)),
    (.page, Array("<?xml version=\"1.0\"?><Error>".utf8)),
    (.numpy, [0x93] + Array("NUMPY".utf8)), (.gzip, [0x1F, 0x8B, 8]), (.bzip2, Array("BZh9".utf8)),
    (.xz, [0xFD] + Array("7zXZ".utf8) + [0]), (.zstd, [0x28, 0xB5, 0x2F, 0xFD]),
    (.hdf5, [0x89] + Array("HDF\r\n".utf8)), (.png, [0x89] + Array("PNG\r\n".utf8)),
    (.jpeg, [0xFF, 0xD8, 0xFF, 0xE0]), (.json, Array(" {\"a\": 1}".utf8)),
    (.json, [0xEF, 0xBB, 0xBF] + Array("[1]".utf8)), (.other, Array("model:\n  window: 4".utf8)),
    (.other, [6] + [UInt8](repeating: 200, count: 600)),
    (.tar, [UInt8](repeating: 97, count: 257) + Array("ustar".utf8)),
  ]

  @Test(arguments: starts.indices) func aKindByItsStart(_ index: Int) throws {
    let (kind, start) = Self.starts[index]
    #expect(FileKind(start) == kind)
    let path = try scratch.write(Data(start), "file")
    #expect(try FileKind(ofFile: path) == kind)
  }

  /// Each line says what was found, what was expected and what to do.
  @Test func refusalsAreLines() throws {
    let uses: [FileUse] = [.safetensors, .settings, .json, .zip, .images, .autoencoder]
    for use in uses {
      for kind in FileKind.allCases where !use.takes(kind) {
        let error = thrownError { try use.check(kind, path: "/p/file") }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.hasPrefix("/p/file: is \(kind.name), expected \(use.name); "))
      }
    }
    func said(_ kind: FileKind, _ use: FileUse) -> String {
      errorIfThrown { try use.check(kind, path: "p") }.map { "\($0)" } ?? ""
    }
    #expect(said(.pytorch, .safetensors).contains("launch/convert-weights.py"))
    #expect(said(.pointer, .safetensors).contains("git lfs pull"))
    #expect(said(.page, .images).contains("download it again"))
    #expect(said(.zstd, .zip).contains("unzstd"))
    #expect(said(.safetensors, .autoencoder).contains("from_single_file"))
  }

  @Test func whatIsNoRegularFile() throws {
    let pipe = scratch.file("pipe").path
    try #require(mkfifo(pipe, 0o600) == 0)
    #expect(
      thrownError { _ = try InputFile(pipe) }
        == FileError.notRegular(path: pipe, found: "a pipe"))
    #expect(
      thrownError { _ = try Files.map(pipe) } == FileError.notRegular(path: pipe, found: "a pipe"))
    #expect(
      thrownError { _ = try InputFile(scratch.path) }
        == FileError.notRegular(path: scratch.path, found: "a folder"))
  }

  @Test func jsonThatIsTooLarge() throws {
    let path = scratch.file("large.json").path
    try #require(FileManager.default.createFile(atPath: path, contents: nil))
    try FileHandle(forWritingTo: URL(fileURLWithPath: path))
      .truncate(atOffset: UInt64(JSONFile.largest) + 1)
    guard case FileError.unreadable? = thrownError(by: { _ = try JSONFile.contents(path) }) else {
      Issue.record("it was read")
      return
    }
    #expect(try JSONFile.bytes(ifPresent: scratch.file("none").path) == nil)
  }

  /// A lock knows when its directory has gone.
  @Test func lockThatIsInPlace() throws {
    try scratch.makeFolder("run")
    let lock = try RunLock(directory: scratch.file("run"))
    #expect(lock.isInPlace)
    try FileManager.default.moveItem(at: scratch.file("run"), to: scratch.file("moved"))
    #expect(!lock.isInPlace)
    try FileManager.default.copyItem(at: scratch.file("moved"), to: scratch.file("run"))
    #expect(!lock.isInPlace)
  }
}
