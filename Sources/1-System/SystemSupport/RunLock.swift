import Foundation

/// A run directory's lock: held while the object lives, until `release` or the end of the process.
///
/// `flock` on a file that stays: the kernel drops the lock when its holder dies, however it dies,
/// so nothing has to be cleaned up. On NFS it holds between hosts too (Linux makes a byte-range
/// lock of it); on Lustre it needs the mount option `flock`.
package final class RunLock: Sendable {
  /// The lock file's name within the run directory.
  package static let fileName = ".lock"

  private let descriptor: Int32
  private let path: String

  /// - Throws: `FileError.locked` where another process holds it, with the process and host
  ///   that the holder wrote into the file.
  package init(directory: URL) throws(FileError) {
    path = "\(directory.path)/\(RunLock.fileName)"
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .system(operation: "create", path: path, code: errno) }
    var attempts = 0
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let code = errno
      if code == EINTR { continue }
      // `isHeld` of another process takes the lock for an instant.
      if code == EWOULDBLOCK && attempts < 3 {
        attempts += 1
        usleep(20_000)
        continue
      }
      if code == EWOULDBLOCK {
        throw .locked(directory: directory.path, holder: RunLock.holder(path))
      }
      throw .system(operation: "lock", path: path, code: code)
    }
    guard ftruncate(descriptor, 0) == 0 else {
      throw .system(operation: "write", path: path, code: errno)
    }
    let holder = Array("process \(getpid()) on \(Host.name)\n".utf8)
    let code = holder.withUnsafeBytes { FileSystem.writeAll($0, to: descriptor) }
    guard code == 0 else { throw .system(operation: "write", path: path, code: code) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Whether the file is still the one of this name: false where the directory, or the file, was
  /// removed, renamed or replaced.
  package var isInPlace: Bool {
    var (held, found) = (stat(), stat())
    return fstat(descriptor, &held) == 0 && stat(path, &found) == 0
      && held.st_ino == found.st_ino && held.st_dev == found.st_dev
  }

  /// Lets another job have the directory; also done by the end of the process.
  package func release() { flock(descriptor, LOCK_UN) }

  /// Whether another process holds the lock of a directory; the lock is not touched.
  package static func isHeld(directory: URL) -> Bool {
    let file = open("\(directory.path)/\(RunLock.fileName)", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return false }
    defer { close(file) }
    guard flock(file, LOCK_SH | LOCK_NB) == 0 else { return errno == EWOULDBLOCK }
    flock(file, LOCK_UN)
    return false
  }

  private static func holder(_ path: String) -> String {
    let bytes = (try? InputFile.contents(of: path)) ?? []
    let line = String(decoding: bytes.prefix(200).prefix { $0 != 10 }, as: UTF8.self)
    return line.isEmpty ? "holder unknown" : line
  }
}
