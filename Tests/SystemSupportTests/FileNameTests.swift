import FixtureSupport
import Foundation
import SystemSupport
import Testing

@Suite struct FileNameTests {
  /// Whatever bytes a name has, its text leads back to them, and different names are different
  /// texts.
  @Test func textsLeadBackToTheBytes() {
    let names: [[UInt8]] = [
      Array("plain.png".utf8), Array("café".utf8), Array("cafe\u{301}".utf8), [0x63, 0xE9],
      [0xE9], [0xC3], [0xC3, 0x28], [0xEF, 0xBF, 0xBD], [0xED, 0xB3, 0xA9],
      [0xF4, 0x8F, 0xBE, 0x80],
      [0xF4, 0x8F, 0xBF, 0xBF], [0xF4], [0xF4, 0x90, 0x80, 0x80], [0xFF, 0xFE, 0x41], [0xC0, 0xAF],
    ]
    for name in names { #expect(FileName.bytes(FileName.text(name)) == name, "\(name)") }
    #expect(Set(names.map { ExactName(FileName.text($0)) }).count == names.count)
    for first in UInt8.min...UInt8.max {
      for second in stride(from: 0, to: 256, by: 7) {
        let name = [0x61, first, UInt8(second), 0x62]
        #expect(FileName.bytes(FileName.text(name)) == name)
      }
    }
  }

  @Test func peopleSeeTheByte() {
    #expect(FileName.visible(FileName.text([0x63, 0x61, 0x66, 0xE9])) == "caf\\xE9")
    #expect(FileName.visible("café") == "café")
  }

  @Test func composedAndDecomposedAreTwoNames() {
    let (one, two) = ("caf\u{E9}", "cafe\u{301}")
    #expect(one == two && ExactName(one) != ExactName(two))
    #expect(ExactName(one) == ExactName("caf\u{E9}"))
  }

  @Test func theOrderIsThatOfTheBytes() {
    let names = [[0xE9], [0xC3, 0xA9], [0x7A], [0xF0, 0x9F, 0x98, 0x80]].map { FileName.text($0) }
    #expect(
      FileName.sorted(names, by: \.self).map { FileName.bytes($0)[0] } == [0x7A, 0xC3, 0xE9, 0xF0])
  }

  @Test func filesOfAnyNameAreFoundAndRead() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/" + FileName.text([0x63, 0xE9])
    let made = FileName.withPath(path) { mkdir($0, 0o777) }
    try #require(made == 0)
    let file = Files.join(path, "x")
    let descriptor = FileName.withPath(file) { open($0, O_CREAT | O_WRONLY, 0o666) }
    try #require(descriptor >= 0)
    #expect(write(descriptor, "hello", 5) == 5)
    close(descriptor)
    let items = try Files.items(in: folder.path)
    #expect(items.map(\.name) == [FileName.text([0x63, 0xE9])] && items[0].kind == .folder)
    #expect(try Files.map(Files.join(folder.path, items[0].name + "/x")) == Data("hello".utf8))
    #expect(Files.start(of: file, 4) == Array("hell".utf8))
    #expect(Files.start(of: file + "y", 4).isEmpty)
  }

  @Test func whatIsNoFileIsToldApart() throws {
    let folder = try TemporaryFolder()
    try folder.write("x", "file")
    try folder.makeFolder("folder")
    try #require(mkfifo(folder.path + "/pipe", 0o666) == 0)
    for (name, target) in [("good", "file"), ("lost", "none"), ("inside", "folder")] {
      try FileManager.default.createSymbolicLink(
        atPath: "\(folder.path)/\(name)", withDestinationPath: target)
    }
    let kinds = try Dictionary(
      uniqueKeysWithValues: Files.items(in: folder.path).map { ($0.name, $0.kind) })
    #expect(kinds["file"] == .file && kinds["good"] == .file)
    #expect(kinds["folder"] == .folder && kinds["inside"] == .folder)
    #expect(kinds["pipe"] == .some(nil) && kinds["lost"] == .some(nil))
    // A pipe without a writer does not wait.
    let pipe = folder.path + "/pipe"
    #expect(throws: FileError.notRegular(path: pipe, found: "a pipe")) {
      try Files.map(pipe)
    }
    #expect(throws: FileError.notFound(path: folder.path + "/lost")) {
      try Files.map(folder.path + "/lost")
    }
  }
}
