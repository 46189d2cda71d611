import Foundation

/// Folders for results, and renames, with the system's own word for what went wrong.
package enum FileOutput {
  /// Makes a folder and those above it; one that is there already is kept.
  package static func makeFolder(_ path: String) throws(FileError) {
    if mkdir(path, 0o777) == 0 || isFolder(path) { return }
    let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
    guard errno == ENOENT, parent != path else { throw failure(path) }
    try makeFolder(parent)
    // Another rank may have been quicker.
    guard mkdir(path, 0o777) == 0 || isFolder(path) else { throw failure(path) }
  }

  /// Makes the folder that a file will be written to.
  package static func makeFolder(ofFile path: String) throws(FileError) {
    try makeFolder(URL(fileURLWithPath: path).deletingLastPathComponent().path)
  }

  /// Gives a file or folder another name, in the same file system.
  package static func rename(_ path: String, to other: String) throws(FileError) {
    guard Foundation.rename(path, other) == 0 else { throw failure(other) }
  }

  /// Whether a folder has this path; links are followed. It leaves `errno` as it was.
  package static func isFolder(_ path: String) -> Bool {
    let code = errno
    defer { errno = code }
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  private static func failure(_ path: String) -> FileError {
    .unwritable(path: path, reason: String(cString: strerror(errno)))
  }
}
