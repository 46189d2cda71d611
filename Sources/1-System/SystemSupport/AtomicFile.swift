import Foundation

/// A file that is seen under its name only when all of it is written.
///
/// Bytes go to a hidden file in the same folder, `.NAME.PID.tmp`, which `commit` renames. Until
/// then, and where writing fails, what had the name stays as it was; a writer that is dropped
/// before `commit` leaves nothing behind.
///
/// * A symbolic link is followed: its target is replaced, and the link stays.
/// * What is no regular file (a device, a pipe, a socket), or is this process's standard output or
///   error, is never replaced: `commit` writes the bytes into it. Until then they wait in an
///   unnamed temporary file.
/// * A new file's permissions follow the umask. A file that is replaced hands its mode on, and its
///   owner where the system allows that.
package final class AtomicFile {
  /// The name as it was given; errors show it.
  package let path: String
  /// Bytes so far.
  package private(set) var size = 0
  private let place: Place
  private let isDurable: Bool
  private var descriptor: Int32 = -1
  private var buffer: [UInt8] = []
  private var isCommitted = false

  /// Where the bytes go.
  private enum Place {
    /// `temporary` becomes `name`; `old` is the file that has the name now.
    case file(_ name: String, temporary: String, old: stat?)
    /// Something that is written into; a descriptor where it is open already.
    case stream(Int32?)
  }

  /// - Parameter durable: whether `commit` returns only when the bytes and the name are on the disk
  ///   (`fsync` of the file before the rename, and of its folder after it), so that they outlive a
  ///   crash of the system. Otherwise only the rename is atomic: after a crash of the system the
  ///   file may be empty.
  package init(_ path: String, durable: Bool) throws(FileError) {
    (self.path, isDurable) = (path, durable)
    place = try Self.place(of: path)
    switch place {
    case .file(_, let temporary, let old):
      descriptor = open(
        temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o666)
      guard descriptor >= 0 else { throw unwritable(errno) }
      if let old {
        _ = fchown(descriptor, old.st_uid, old.st_gid)
        _ = fchmod(descriptor, old.st_mode & 0o7777)
      }
    case .stream:
      var name = "\(FileManager.default.temporaryDirectory.path)/diffit-XXXXXX".utf8CString
      descriptor = name.withUnsafeMutableBufferPointer { name in
        guard let start = name.baseAddress else { return -1 }
        let file = mkstemp(start)
        if file >= 0 {
          unlink(start)
          _ = fcntl(file, F_SETFD, FD_CLOEXEC)
        }
        return file
      }
      guard descriptor >= 0 else { throw unwritable(errno) }
    }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    if case .file(_, let temporary, _) = place, !isCommitted { unlink(temporary) }
  }

  private static func place(of path: String) throws(FileError) -> Place {
    var found = stat()
    guard stat(path, &found) == 0 else {
      let name = target(of: path)
      return .file(name, temporary: FileSystem.temporary(beside: name), old: nil)
    }
    switch found.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw .unwritable(path: path, reason: String(cString: strerror(EISDIR)))
    default: return .stream(nil)
    }
    for standard in [STDOUT_FILENO, STDERR_FILENO] {
      var other = stat()
      if fstat(standard, &other) == 0, other.st_dev == found.st_dev, other.st_ino == found.st_ino {
        return .stream(standard)
      }
    }
    let name = target(of: path)
    return .file(name, temporary: FileSystem.temporary(beside: name), old: found)
  }

  /// What symbolic links lead to, which need not exist.
  private static func target(of path: String) -> String {
    var path = path
    for _ in 0..<40 {
      guard let next = try? FileManager.default.destinationOfSymbolicLink(atPath: path) else {
        break
      }
      path = next.hasPrefix("/") ? next : "\(FileSystem.parent(of: path))/\(next)"
    }
    return path
  }

  /// Adds bytes to the end; small pieces are collected.
  package func append(_ bytes: some Collection<UInt8>) throws(FileError) {
    if bytes.count < 1 << 16 {
      size += bytes.count
      buffer += bytes
      if buffer.count >= 1 << 20 { try flush() }
      return
    }
    let code = bytes.withContiguousStorageIfAvailable { write(UnsafeRawBufferPointer($0)) }
    try check(code ?? Array(bytes).withUnsafeBytes { write($0) }, "write")
  }

  /// Adds bytes to the end.
  package func append(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    try check(write(bytes), "write")
  }

  /// Overwrites bytes that were added before.
  package func patch(_ bytes: [UInt8], at position: Int) throws(FileError) {
    try flush()
    let code = bytes.withUnsafeBytes {
      FileSystem.writeAll($0, to: descriptor, at: position)
    }
    try check(code, "write")
  }

  /// Gives the bytes their name, durably where that was asked for. Nothing can be added afterwards.
  package func commit() throws(FileError) {
    try flush()
    switch place {
    case .file(let name, let temporary, _):
      if isDurable { try check(fsync(descriptor) == 0 ? 0 : errno, "fsync") }
      try closeFile(descriptor)
      descriptor = -1
      guard rename(temporary, name) == 0 else { throw unwritable(errno) }
      isCommitted = true
      if isDurable { try FileSystem.sync(directory: FileSystem.parent(of: name)) }
    case .stream(let standard):
      isCommitted = true
      guard let standard else {
        var stream = open(path, O_WRONLY | O_CLOEXEC)
        while stream < 0 && errno == EINTR { stream = open(path, O_WRONLY | O_CLOEXEC) }
        guard stream >= 0 else { throw unwritable(errno) }
        do throws(FileError) { try copy(to: stream) } catch {
          close(stream)
          throw error
        }
        return try closeFile(stream)
      }
      try copy(to: standard)
    }
  }

  /// Writes a whole file, or leaves what was there.
  package static func write(
    _ bytes: some Collection<UInt8>, to path: String, durable: Bool
  ) throws(FileError) {
    let file = try AtomicFile(path, durable: durable)
    try file.append(bytes)
    try file.commit()
  }

  private func flush() throws(FileError) {
    guard !buffer.isEmpty else { return }
    let code = buffer.withUnsafeBytes { FileSystem.writeAll($0, to: descriptor) }
    buffer.removeAll(keepingCapacity: true)
    try check(code, "write")
  }

  /// 0, or the errno of what failed.
  private func write(_ bytes: UnsafeRawBufferPointer) -> Int32 {
    size += bytes.count
    let code = buffer.withUnsafeBytes { FileSystem.writeAll($0, to: descriptor) }
    buffer.removeAll(keepingCapacity: true)
    return code != 0 ? code : FileSystem.writeAll(bytes, to: descriptor)
  }

  private func copy(to stream: Int32) throws(FileError) {
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { piece.deallocate() }
    var position = 0
    while true {
      let (count, code) = FileSystem.readAll(into: piece, from: descriptor, at: position)
      try check(code, "read")
      if count == 0 { return }
      let part = UnsafeRawBufferPointer(rebasing: piece[..<count])
      try check(FileSystem.writeAll(part, to: stream), "write")
      position += count
    }
  }

  /// Network file systems report some failed writes only when a file is closed.
  private func closeFile(_ descriptor: Int32) throws(FileError) {
    try check(close(descriptor) == 0 ? 0 : errno, "close")
  }

  private func check(_ code: Int32, _ operation: String) throws(FileError) {
    if code != 0 { throw .system(operation: operation, path: path, code: code) }
  }

  private func unwritable(_ code: Int32) -> FileError {
    .unwritable(path: path, reason: String(cString: strerror(code)))
  }
}
