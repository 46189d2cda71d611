import Foundation

/// A file written under a hidden name beside its own, which it takes when all of it is on disk. Until then,
/// and where writing fails, what had the name stays as it was.
package final class ReplacedFile {
  package let path: String
  /// Bytes so far.
  package private(set) var size = 0
  private let temporary: String
  private var descriptor: Int32
  private var buffer: [UInt8] = []
  private var isCommitted = false

  package init(_ path: String) throws(FileError) {
    self.path = path
    let url = URL(fileURLWithPath: path)
    temporary =
      "\(url.deletingLastPathComponent().path)/.\(url.lastPathComponent).\(getpid()).tmp"
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw failure() }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    if !isCommitted { unlink(temporary) }
  }

  /// Adds bytes to the end; small pieces are collected.
  package func append(_ bytes: some Collection<UInt8>) throws(FileError) {
    size += bytes.count
    if bytes.count < 1 << 16 {
      buffer += bytes
      if buffer.count >= 1 << 20 { try flush() }
      return
    }
    try flush()
    let written: Bool? = bytes.withContiguousStorageIfAvailable {
      write(UnsafeRawBufferPointer($0))
    }
    guard written ?? Array(bytes).withUnsafeBytes({ write($0) }) else { throw failure() }
  }

  /// Overwrites bytes that were added before.
  package func patch(_ bytes: [UInt8], at position: Int) throws(FileError) {
    try flush()
    guard pwrite(descriptor, bytes, bytes.count, off_t(position)) == bytes.count else {
      throw failure()
    }
  }

  /// Makes the bytes durable and gives the file its name.
  package func commit() throws(FileError) {
    try flush()
    guard fsync(descriptor) == 0 else { throw failure() }
    // Network file systems report some failed writes only when a file is closed.
    let closing = descriptor
    descriptor = -1
    guard close(closing) == 0, rename(temporary, path) == 0 else { throw failure() }
    isCommitted = true
    let folder = open(URL(fileURLWithPath: path).deletingLastPathComponent().path, O_RDONLY)
    // Where a folder cannot be synced its renames are durable by themselves.
    if folder >= 0 {
      fsync(folder)
      close(folder)
    }
  }

  private func flush() throws(FileError) {
    guard buffer.withUnsafeBytes({ write($0) }) else { throw failure() }
    buffer.removeAll(keepingCapacity: true)
  }

  /// False, with errno, where the system refuses.
  private func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: rest)
      let count = Foundation.write(descriptor, part.baseAddress, part.count)
      if count < 0 {
        if errno == EINTR { continue }
        return false
      }
      rest = rest.dropFirst(count)
    }
    return true
  }

  private func failure() -> FileError {
    .unwritable(path: path, reason: String(cString: strerror(errno)))
  }
}
