import CArchive
import SystemSupport

/// The files of a .tar or .tar.gz in stored order, read as a stream through libarchive.
enum TarReader {
  private static let pieceSize = 1 << 20

  /// Calls `body` with each file's path in the archive, its size in bytes, and a function that
  /// reads it piece by piece; a file that is not asked for is skipped.
  static func forEachFile(
    in path: String,
    _ body: (
      _ name: String, _ size: Int,
      _ read: (_ piece: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) throws -> Void
  ) throws {
    guard try Files.kind(path) == .file else {
      throw ArchiveError.brokenArchive(path: path, reason: "it is a folder")
    }
    var message = [CChar](repeating: 0, count: 256)
    guard let archive = FileName.withPath(path, { carchive_open($0, &message, message.count) })
    else {
      let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw ArchiveError.brokenArchive(path: path, reason: String(decoding: text, as: UTF8.self))
    }
    defer { carchive_close(archive) }
    func failure() -> ArchiveError {
      .brokenArchive(path: path, reason: String(cString: carchive_message(archive)))
    }

    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceSize, alignment: 64)
    defer { buffer.deallocate() }
    var (name, size): (UnsafePointer<CChar>?, Int) = (nil, 0)
    while true {
      let status = carchive_next(archive, &name, &size)
      if status == 0 { return }
      guard status > 0, let name else { throw failure() }
      let entrySize = size
      try body(String(cString: name), entrySize) { (piece) throws in
        var rest = entrySize
        while rest > 0 {
          let wanted = min(rest, pieceSize)
          var got = 0
          guard carchive_read(archive, buffer.baseAddress, wanted, &got) == 0 else {
            throw failure()
          }
          guard got == wanted else {
            throw ArchiveError.brokenArchive(path: path, reason: "it ends inside an entry")
          }
          try piece(UnsafeRawBufferPointer(rebasing: buffer[..<got]))
          rest -= got
        }
      }
    }
  }
}
