import Foundation

/// A file open for reading at any position (`open`, `pread`, `close`).
///
/// It is not a memory map: if another process shortens a mapped file, a signal ends this process;
/// here the read throws.
package final class InputFile: Sendable {
  /// The path of the file.
  package let path: String
  private let descriptor: Int32

  /// Opens the file.
  ///
  /// - Throws: `FileError.notRegular` for a pipe, a socket or a folder. A pipe is refused at once:
  ///   it would be waited for until someone writes into it, and has no positions.
  package init(_ path: String) throws(FileError) {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .system(operation: "open", path: path, code: errno) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw .system(operation: "stat", path: path, code: errno)
    }
    try FileSystem.refuseIrregular(status, path: path)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Bytes in the file now (`fstat`).
  package var size: Int {
    get throws(FileError) {
      var status = stat()
      guard fstat(descriptor, &status) == 0 else {
        throw .system(operation: "stat", path: path, code: errno)
      }
      return Int(status.st_size)
    }
  }

  /// Fills `buffer` with the bytes from `position` on.
  package func read(
    into buffer: UnsafeMutableRawBufferPointer, at position: Int
  ) throws(FileError) {
    let (count, code) = FileSystem.readAll(into: buffer, from: descriptor, at: position)
    guard code == 0 else { throw .system(operation: "read", path: path, code: code) }
    if count < buffer.count { throw .shrank(path: path, expected: position + buffer.count) }
  }

  /// The bytes `range` as an array.
  package func bytes(_ range: Range<Int>) throws(FileError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: range.count)
    let result = bytes.withUnsafeMutableBytes { buffer in
      Result { () throws(FileError) in try read(into: buffer, at: range.lowerBound) }
    }
    try result.get()
    return bytes
  }

  /// A whole file.
  package static func contents(of path: String) throws(FileError) -> [UInt8] {
    let file = try InputFile(path)
    return try file.bytes(0..<file.size)
  }
}
