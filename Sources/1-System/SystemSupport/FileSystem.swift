import Foundation

/// System calls on files and folders, with the errno of the call that failed.
package enum FileSystem {
  /// Writes every byte, however the system cuts them (`write`, or `pwrite` where there is a
  /// position).
  ///
  /// - Returns: 0, or the errno of the call that failed.
  package static func writeAll(
    _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at position: Int? = nil
  ) -> Int32 {
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      let count =
        position.map { pwrite(descriptor, rest.baseAddress, rest.count, off_t($0 + done)) }
        ?? write(descriptor, rest.baseAddress, rest.count)
      if count >= 0 {
        done += count
      } else if errno != EINTR {
        return errno
      }
    }
    return 0
  }

  /// Fills `buffer` with the bytes from `position` on, as far as the file goes (`pread`).
  ///
  /// - Returns: the bytes read, fewer than asked for only at the end of the file; and 0, or the
  ///   errno of the call that failed.
  package static func readAll(
    into buffer: UnsafeMutableRawBufferPointer, from descriptor: Int32, at position: Int
  ) -> (count: Int, code: Int32) {
    var done = 0
    while done < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
      let count = pread(descriptor, rest.baseAddress, rest.count, off_t(position + done))
      if count == 0 { break }
      if count > 0 {
        done += count
      } else if errno != EINTR {
        return (done, errno)
      }
    }
    return (done, 0)
  }

  /// Bytes in a file; nil where there is none (`stat`).
  package static func size(of path: String) throws(FileError) -> Int? {
    var status = stat()
    if stat(path, &status) == 0 { return Int(status.st_size) }
    if errno == ENOENT { return nil }
    throw .system(operation: "stat", path: path, code: errno)
  }

  /// Throws for what cannot be read at any position: a pipe, a socket, a folder.
  static func refuseIrregular(_ status: stat, path: String) throws(FileError) {
    switch status.st_mode & S_IFMT {
    case S_IFIFO: throw .notRegular(path: path, found: "a pipe")
    case S_IFSOCK: throw .notRegular(path: path, found: "a socket")
    case S_IFDIR: throw .notRegular(path: path, found: "a folder")
    default: break
    }
  }

  /// Whether there is anything of this name; links are followed.
  package static func exists(_ path: String) throws(FileError) -> Bool { try size(of: path) != nil }

  /// Names in a directory, sorted; nil where there is no such directory.
  package static func names(in path: String) throws(FileError) -> [String]? {
    guard let directory = opendir(path) else {
      if errno == ENOENT { return nil }
      throw .system(operation: "list", path: path, code: errno)
    }
    defer { closedir(directory) }
    var names: [String] = []
    errno = 0
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
      errno = 0
    }
    guard errno == 0 else { throw .system(operation: "list", path: path, code: errno) }
    return names.sorted()
  }

  /// Makes a directory; one that is there already is kept.
  package static func makeDirectory(_ path: String) throws(FileError) {
    guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
      throw .system(operation: "create the directory", path: path, code: errno)
    }
  }

  /// Gives a file or directory another name, in the same file system.
  package static func rename(_ from: String, to: String) throws(FileError) {
    guard Foundation.rename(from, to) == 0 else {
      throw .system(operation: "rename to \(to)", path: from, code: errno)
    }
  }

  /// Makes the names in a directory durable.
  package static func sync(directory path: String) throws(FileError) {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    // A directory that may be written to and not read cannot be synced.
    if descriptor < 0 && errno == EACCES { return }
    guard descriptor >= 0 else { throw .system(operation: "open", path: path, code: errno) }
    defer { close(descriptor) }
    // Some network file systems have no fsync of directories; their renames are durable by
    // themselves.
    guard fsync(descriptor) == 0 || errno == EINVAL else {
      throw .system(operation: "fsync", path: path, code: errno)
    }
  }

  /// Removes a file, or a directory with all it holds; links are not followed.
  package static func remove(_ path: String) throws(FileError) {
    var status = stat()
    guard lstat(path, &status) == 0 else {
      if errno == ENOENT { return }
      throw .system(operation: "stat", path: path, code: errno)
    }
    if status.st_mode & S_IFMT == S_IFDIR {
      for name in try names(in: path) ?? [] { try remove("\(path)/\(name)") }
      guard rmdir(path) == 0 || errno == ENOENT else {
        throw .system(operation: "remove", path: path, code: errno)
      }
    } else if unlink(path) != 0 && errno != ENOENT {
      throw .system(operation: "remove", path: path, code: errno)
    }
  }

  /// The directory that holds `path`.
  package static func parent(of path: String) -> String {
    URL(fileURLWithPath: path).deletingLastPathComponent().path
  }

  /// A hidden name beside `path`, for what is renamed to it when complete.
  package static func temporary(beside path: String) -> String {
    let url = URL(fileURLWithPath: path)
    return "\(url.deletingLastPathComponent().path)/.\(url.lastPathComponent).\(getpid()).tmp"
  }
}
