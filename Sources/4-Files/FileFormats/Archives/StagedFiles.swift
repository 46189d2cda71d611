import CArchive
import Foundation
import SystemSupport

/// Files of an archive, unpacked into memory that the processes of a node share.
///
/// One process unpacks; the others map the same pages, so that a node holds one copy. The memory is
/// an anonymous file (memfd_create(2)) that has no name in any file system: it needs no room in
/// /dev/shm or a temporary folder, and is gone with the last process that maps it, however that one
/// ends. Others reach it through /proc/PID/fd, which the same user may open.
package struct StagedFiles: Sendable {
  private struct Entry: Codable {
    let name: String
    let offset: Int
    let count: Int
  }

  /// Where another process finds the files.
  private struct Place: Codable {
    let process: Int32
    let descriptor: Int32
    /// Tells our memory from another file with the same number, as on a node of the same name.
    let name: String
    let entries: [Entry]
  }

  private let entries: [Entry]
  private let bytes: Data
  /// Open while others may still come.
  private let file: Descriptor?
  private let place: Place?

  /// Unpacks the files with these names, in whatever folder of the archive they are.
  ///
  /// - Parameters:
  ///   - archive: a .tar or .tar.gz.
  ///   - limit: the most bytes that all files of the archive may have together, asked for or not:
  ///     a small archive can hold very much of the same.
  package init(unpacking archive: String, _ names: [String], atMost limit: Int) throws {
    let name = "diffit-\(UUID().uuidString)"
    let file = Descriptor(carchive_memory_file(name))
    guard file.number >= 0 else {
      throw FileError.unwritable(path: "memory for \(archive)", reason: StagedFiles.lastError)
    }
    var entries: [Entry] = []
    var end = 0
    var total = 0
    try TarReader.forEachFile(in: archive) { (path, size, read) throws in
      guard size >= 0 && size <= limit - total else {
        throw ArchiveError.tooLarge(
          path: archive, found: "\(path) with \(size) bytes behind \(total)", limit: limit)
      }
      total += size
      let name = Files.name(path)
      guard names.contains(name), !entries.contains(where: { $0.name == name }) else { return }
      try read { piece in
        guard file.append(piece) else {
          throw FileError.unwritable(path: "memory for \(archive)", reason: StagedFiles.lastError)
        }
      }
      entries.append(Entry(name: name, offset: end, count: size))
      end += size
    }
    if let missing = names.first(where: { name in !entries.contains { $0.name == name } }) {
      throw ArchiveError.missingEntry(archive: archive, name: missing)
    }
    guard let bytes = file.map(count: end) else {
      throw FileError.unreadable(path: archive, reason: StagedFiles.lastError)
    }
    (self.entries, self.bytes, self.file) = (entries, bytes, file)
    place = Place(
      process: getpid(), descriptor: file.number, name: name, entries: entries)
  }

  /// What another process of this node makes `init(at:)` with, as long as this value lives; empty
  /// where it did not unpack the files itself.
  package var address: [UInt8] {
    place.flatMap { try? JSONEncoder().encode($0) }.map { Array($0) } ?? []
  }

  /// The files that another process of this node has unpacked; nil where they cannot be reached, as
  /// from another container.
  package init?(at address: [UInt8]) {
    guard let place = try? JSONDecoder().decode(Place.self, from: Data(address)) else { return nil }
    let path = "/proc/\(place.process)/fd/\(place.descriptor)"
    guard StagedFiles.target(of: path) == "/memfd:\(place.name) (deleted)" else { return nil }
    let file = Descriptor(open(path, O_RDONLY | O_CLOEXEC))
    let end = place.entries.last.map { $0.offset + $0.count } ?? 0
    var status = stat()
    guard file.number >= 0, fstat(file.number, &status) == 0, Int(status.st_size) == end,
      let bytes = file.map(count: end)
    else { return nil }
    entries = place.entries
    self.bytes = bytes
    (self.file, self.place) = (nil, nil)
  }

  /// A file's bytes; nil where it was not unpacked.
  package func file(_ name: String) -> Data? {
    entries.first { $0.name == name }.map { bytes[$0.offset..<$0.offset + $0.count] }
  }

  private static func target(of link: String) -> String? {
    var text = [UInt8](repeating: 0, count: 512)
    let count = text.withUnsafeMutableBytes { buffer in
      buffer.withMemoryRebound(to: CChar.self) { text in
        text.baseAddress.map { readlink(link, $0, text.count) } ?? -1
      }
    }
    return count < 0 ? nil : String(decoding: text.prefix(count), as: UTF8.self)
  }

  private static var lastError: String { String(cString: strerror(errno)) }
}

/// An open file, closed with its last handle.
private final class Descriptor: Sendable {
  let number: Int32

  init(_ number: Int32) { self.number = number }

  deinit { if number >= 0 { close(number) } }

  func append(_ content: UnsafeRawBufferPointer) -> Bool {
    let code = FileSystem.writeAll(content, to: number)
    errno = code
    return code == 0
  }

  /// The first bytes, shared with every process that maps them.
  func map(count: Int) -> Data? {
    guard count > 0 else { return Data() }
    guard let start = mmap(nil, count, PROT_READ, MAP_SHARED, number, 0), start != MAP_FAILED else {
      return nil
    }
    return Data(bytesNoCopy: start, count: count, deallocator: .custom { munmap($0, $1) })
  }
}
