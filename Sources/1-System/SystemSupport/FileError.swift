import Foundation

/// Why the operating system could not do what a reader or writer of files asked for. Each
/// description is one line that names the path, the reason and what to do.
package enum FileError: Error, Equatable, Sendable {
  /// A system call failed; `code` is its errno.
  case system(operation: String, path: String, code: Int32)
  /// A file ended while it was read: another process shortened it.
  case shrank(path: String, expected: Int)
  /// No file or folder has this path.
  case notFound(path: String)
  /// The system refused to read an existing file or folder.
  case unreadable(path: String, reason: String)
  /// The system refused to write a file or folder.
  case unwritable(path: String, reason: String)
  /// A pipe, a socket or a folder where a regular file is needed.
  case notRegular(path: String, found: String)
  /// A file is by its first bytes of a kind that its reader cannot take.
  case wrongKind(path: String, found: FileKind, use: FileUse)
  /// Another process holds the lock of this folder.
  case locked(directory: String, holder: String)
}

extension FileError: CustomStringConvertible {
  /// The error as one line.
  package var description: String { Format.line(text) }

  private var text: String {
    switch self {
    case .system(let operation, let path, let code):
      "\(path): cannot \(operation): \(String(cString: strerror(code)))\(Self.advice(code))"
    case .shrank(let path, let expected):
      "\(path): ends before byte \(expected), although it was longer when it was opened; "
        + "check whether another process writes to it"
    case .notFound(let path):
      "no such file or folder: \(path); check the path"
    case .unreadable(let path, let reason):
      "cannot read \(path): \(reason); check its permissions and the file system"
    case .unwritable(let path, let reason):
      "\(path): cannot be written (\(reason)); check its folder, permissions and free space, or choose"
        + " another place"
    case .notRegular(let path, let found):
      "\(path): is \(found), expected a regular file; "
        + (found == "a folder" ? "name a file in it" : "write the content to a file, and name that")
    case .wrongKind(let path, let found, let use):
      "\(path): is \(found.name), expected \(use.name); \(use.advice(found))"
    case .locked(let directory, let holder):
      "\(directory): another job uses this folder (\(holder)); wait for it to end, or choose another"
        + " (--run of train, --out of sample)"
    }
  }

  private static func advice(_ code: Int32) -> String {
    switch code {
    case ENOSPC, EDQUOT: "; free some space there, or let runs keep fewer checkpoints"
    case EFBIG: "; raise the limit on the size of a file (ulimit -f)"
    case EACCES, EPERM, EROFS: "; choose a place that this user may write to and read from"
    case ENOENT: "; check the path"
    case ENOTDIR: "; a part of the path is a file: choose another path"
    default: ""
    }
  }
}
