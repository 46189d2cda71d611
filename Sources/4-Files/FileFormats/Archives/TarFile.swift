import CArchive
import Foundation
import SystemSupport

/// An uncompressed tar whose files are read in place, in any order, in a memory map.
///
/// libarchive tells where they are, jumping from header to header.
package struct TarFile: Sendable {
  /// One regular file in the tar.
  package struct Entry: Sendable {
    /// Its path in the tar.
    package let name: String
    /// Where its bytes begin in the tar, counted from 0.
    package let offset: Int
    /// Its bytes.
    package let size: Int
  }

  /// The tar's path, as it was given.
  package let path: String
  /// Regular files, in stored order.
  package let entries: [Entry]
  private let map: Data

  /// Whether a file's name ends in `.tar`, in any case of letters.
  package static func isName(_ name: String) -> Bool { name.lowercased().hasSuffix(".tar") }

  /// - Throws: `ArchiveError.brokenTar` where it is compressed, damaged or cut off, or has a name
  ///   twice.
  package init(path: String) throws {
    self.path = path
    map = try Files.map(path)
    let kind = FileKind(map.prefix(FileKind.startSize))
    if kind != .empty { try FileUse.images.check(kind, path: path) }
    if kind == .gzip {
      throw ArchiveError.brokenTar(
        path: path, reason: "it is compressed, and its files cannot be read in place; gunzip it")
    }
    // 512 bytes of zeros end a tar; without them nobody knows what is missing.
    let end = map.suffix(512)
    guard end.count == 512 && end.allSatisfy({ $0 == 0 }) else {
      throw ArchiveError.brokenTar(path: path, reason: "it has no end, so it is cut off or no tar")
    }
    entries = try TarFile.list(path, size: map.count)
  }

  /// Bytes of the file, which stay in the map.
  package func bytes(_ offset: Int, _ size: Int) -> Data {
    map[map.startIndex + offset..<map.startIndex + offset + size]
  }

  private static func list(_ path: String, size: Int) throws -> [Entry] {
    var message = [CChar](repeating: 0, count: 256)
    // Small reads: between two headers lies an image that is not wanted yet.
    guard let archive = carchive_open_tar(path, 4096, &message, message.count) else {
      let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw ArchiveError.brokenTar(path: path, reason: String(decoding: text, as: UTF8.self))
    }
    defer { carchive_close(archive) }
    var entries: [Entry] = []
    var names: Set<String> = []
    var (name, entrySize, offset): (UnsafePointer<CChar>?, Int, Int) = (nil, 0, 0)
    while true {
      let status = carchive_next_place(archive, &name, &entrySize, &offset)
      if status == 0 { return entries }
      guard status > 0, let name else {
        throw ArchiveError.brokenTar(path: path, reason: String(cString: carchive_message(archive)))
      }
      let text = String(cString: name)
      guard status == 1 else { continue }
      guard entrySize >= 0 && offset >= 0 && offset <= size - 512 - entrySize else {
        throw ArchiveError.brokenTar(path: path, reason: "\(text) is cut off")
      }
      guard names.insert(text).inserted else {
        throw ArchiveError.brokenTar(path: path, reason: "it has two entries \(text)")
      }
      entries.append(Entry(name: text, offset: offset, size: entrySize))
    }
  }
}
