import ErrorSupport
import Foundation
import SystemSupport
import Testing

/// What a result replaces, and what it is written into.
@Suite struct AtomicFileTests {
  private final class Folder: Sendable {
    let path = FileManager.default.temporaryDirectory.path + "/atomic-\(UUID().uuidString)"
    init() throws { #expect(mkdir(path, 0o755) == 0) }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    func file(_ name: String) -> String { "\(path)/\(name)" }
    var names: [String] {
      get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
    }
  }
  private let folder: Folder

  init() throws { folder = try Folder() }

  private func text(_ path: String) throws -> String {
    try String(contentsOfFile: path, encoding: .utf8)
  }

  private func mode(_ path: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return try #require(attributes[.posixPermissions] as? Int)
  }

  private func type(_ path: String) throws -> FileAttributeType? {
    try FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
  }

  @Test(arguments: [true, false]) func aFileIsSeenWhenItIsComplete(durable: Bool) throws {
    let path = folder.file("result")
    try AtomicFile.write(Array("old".utf8), to: path, durable: durable)
    let file = try AtomicFile(path, durable: durable)
    try file.append(Array("n_w ".utf8))
    try file.append([UInt8](repeating: 120, count: 3 << 20))
    #expect(try text(path) == "old" && folder.names.count == 2)
    try file.append(Array("!".utf8))
    try file.patch(Array("e".utf8), at: 1)
    try file.commit()
    #expect(file.size == 4 + 3 << 20 + 1)
    let found = try text(path)
    #expect(found.hasPrefix("new xxx") && found.hasSuffix("xx!") && found.utf8.count == file.size)
    #expect(try folder.names == ["result"])
  }

  @Test func withoutCommitNothingChanges() throws {
    let path = folder.file("result")
    try AtomicFile.write(Array("old".utf8), to: path, durable: false)
    do { try AtomicFile(path, durable: true).append([1, 2, 3]) }
    #expect(try text(path) == "old" && folder.names == ["result"])
  }

  @Test func modesFollowTheUmaskAndTheFileThatWasThere() throws {
    let (new, old) = (folder.file("new"), folder.file("old"))
    let mask = umask(0)
    umask(mask)
    try AtomicFile.write([1], to: new, durable: false)
    #expect(try mode(new) == 0o666 & ~Int(mask))
    try AtomicFile.write([1], to: old, durable: false)
    #expect(chmod(old, 0o640) == 0)
    try AtomicFile.write([2], to: old, durable: false)
    #expect(try mode(old) == 0o640)
  }

  @Test func aLinkStaysAndItsTargetIsReplaced() throws {
    let files = FileManager.default
    #expect(mkdir(folder.file("far"), 0o755) == 0)
    try files.createSymbolicLink(
      atPath: folder.file("one"), withDestinationPath: "far/two")
    try files.createSymbolicLink(
      atPath: folder.file("far/two"), withDestinationPath: folder.file("three"))
    // Also where there is nothing at the end of the links yet.
    for word in ["first", "second"] {
      try AtomicFile.write(Array(word.utf8), to: folder.file("one"), durable: true)
      #expect(try text(folder.file("three")) == word)
    }
    #expect(try type(folder.file("one")) == .typeSymbolicLink)
    #expect(try type(folder.file("far/two")) == .typeSymbolicLink)
    #expect(try folder.names == ["far", "one", "three"])
    #expect(try files.contentsOfDirectory(atPath: folder.file("far")) == ["two"])
  }

  @Test(.enabled(if: geteuid() == 0, "only root makes devices"))
  func aDeviceIsWrittenIntoAndStays() throws {
    let path = folder.file("null")
    // Character device 1, 3 is /dev/null.
    #expect(mknod(path, S_IFCHR | 0o666, 1 << 8 | 3) == 0)
    try AtomicFile.write(Array("gone".utf8), to: path, durable: true)
    #expect(try type(path) == .typeCharacterSpecial)
    #expect(try folder.names == ["null"])
  }

  @Test func theNullDeviceStays() throws {
    try AtomicFile.write(Array("gone".utf8), to: "/dev/null", durable: true)
    #expect(try type("/dev/null") == .typeCharacterSpecial)
  }

  @Test(.timeLimit(.minutes(10))) func aPipeIsWrittenInto() throws {
    let path = folder.file("pipe")
    #expect(mkfifo(path, 0o600) == 0)
    // More than a pipe holds, and patched after it was written.
    let task = BackgroundTask("writer") { [path] in
      let file = try AtomicFile(path, durable: true)
      try file.append([UInt8](repeating: 97, count: 200_000))
      try file.patch([98], at: 0)
      try file.commit()
    }
    let found = try #require(try FileHandle(forReadingAtPath: path)?.readToEnd())
    try task.wait().get()
    #expect(found.count == 200_000 && found.first == 98 && found.last == 97)
    #expect(try type(path) != .typeRegular)
    #expect(try folder.names == ["pipe"])
  }

  @Test func aSocketCannotBeWrittenInto() throws {
    let path = folder.file("s")
    let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) {
      $0.copyBytes(from: Array(path.utf8).prefix(107))
    }
    let size = socklen_t(MemoryLayout<sockaddr_un>.size)
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, size) }
    }
    try #require(code == 0)
    #expect(
      thrownError { try AtomicFile.write([1], to: path, durable: false) }
        == FileError.unwritable(path: path, reason: "No such device or address"))
    #expect(try type(path) == .typeSocket && folder.names == ["s"])
  }

  @Test func aFullDisk() throws {
    // Directly, and where a link leads there.
    let link = folder.file("full")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/dev/full")
    for path in ["/dev/full", link] {
      let error = thrownError { try AtomicFile.write([1], to: path, durable: true) }
      #expect(error == FileError.system(operation: "write", path: path, code: ENOSPC))
    }
    #expect(try folder.names == ["full"])
  }

  @Test func whatCannotBeWritten() throws {
    let none = folder.file("none/result")
    #expect(
      thrownError { try AtomicFile.write([1], to: none, durable: false) }
        == FileError.unwritable(path: none, reason: "No such file or directory"))
    #expect(
      thrownError { try AtomicFile.write([1], to: folder.path, durable: false) }
        == FileError.unwritable(path: folder.path, reason: "Is a directory"))
    // Nobody makes files in /proc.
    let forbidden = "/proc/self/result"
    let error = thrownError { try AtomicFile.write([1], to: forbidden, durable: true) }
    guard case FileError.unwritable(forbidden, _)? = error else {
      Issue.record("found \(String(describing: error))")
      return
    }
  }

  @Test(.enabled(if: geteuid() != 0, "root may write everywhere"))
  func aFolderThatMayNotBeWrittenTo() throws {
    let path = folder.file("result")
    try AtomicFile.write(Array("old".utf8), to: path, durable: false)
    #expect(chmod(folder.path, 0o555) == 0)
    defer { chmod(folder.path, 0o755) }
    #expect(
      thrownError { try AtomicFile.write([1], to: path, durable: true) }
        == FileError.unwritable(path: path, reason: "Permission denied"))
    #expect(try text(path) == "old" && folder.names == ["result"])
  }
}
