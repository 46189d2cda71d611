import Foundation

/// A file being written from its start, checksummed on the way (`open`, `write`, `fsync`, `close`).
package final class OutputFile {
  package let path: String
  package private(set) var size = 0
  private var descriptor: Int32
  private var checksum = Checksum()

  /// Creates the file, or empties one that is there.
  package init(_ path: String) throws(FileError) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .system(operation: "create", path: path, code: errno) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    var done = 0
    while done < bytes.count {
      // In pieces, so that the checksum finds in the cache what the system call will read.
      let piece = UnsafeRawBufferPointer(rebasing: bytes[done..<min(done + 1 << 20, bytes.count)])
      checksum.update(piece)
      try OutputFile.writeAll(piece, to: descriptor, path: path)
      done += piece.count
    }
    size += bytes.count
  }

  /// Makes the bytes durable and closes; returns their checksum. Network file systems report some
  /// failed writes only here.
  package func finish() throws(FileError) -> String {
    guard fsync(descriptor) == 0 else {
      throw .system(operation: "fsync", path: path, code: errno)
    }
    let closing = descriptor
    descriptor = -1
    guard close(closing) == 0 else {
      throw .system(operation: "close", path: path, code: errno)
    }
    return checksum.digest
  }

  /// Writes a small file durably; returns its checksum.
  @discardableResult
  package static func write(_ bytes: [UInt8], to path: String) throws(FileError) -> String {
    let file = try OutputFile(path)
    let result = bytes.withUnsafeBytes { buffer in
      Result { () throws(FileError) in try file.write(buffer) }
    }
    try result.get()
    return try file.finish()
  }

  /// Writes every byte, however the system cuts them.
  package static func writeAll(
    _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String
  ) throws(FileError) {
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      let count = Foundation.write(descriptor, rest.baseAddress, rest.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw .system(operation: "write", path: path, code: errno)
      }
      done += count
    }
  }
}
