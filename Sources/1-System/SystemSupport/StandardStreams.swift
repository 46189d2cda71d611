import Foundation

/// Standard input, output and error of this process.
///
/// Foundation's file handles end the process where a write fails, and the standard library's
/// `print` says nothing; both are wrong for a program whose output may go to a full disk.
package enum StandardStreams {
  /// What each program of this package does first in main.
  ///
  /// Closed standard streams become /dev/null. SIGXFSZ is ignored: a file that grows beyond `ulimit
  /// -f` would end the process without a word, and now writing fails with EFBIG, which is told.
  package static func prepare() {
    openMissing()
    signal(SIGXFSZ, SIG_IGN)
  }

  /// Opens /dev/null in place of each of the descriptors 0, 1 and 2 that is closed. Otherwise the
  /// next file that the program opens would take its number, and what is meant for the terminal
  /// would be written into that file.
  private static func openMissing() {
    for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
      // The lowest free number is this one, because those below are open.
      _ = open("/dev/null", descriptor == 0 ? O_RDONLY : O_WRONLY)
    }
  }

  /// Writes a text and a line end to standard output. Characters that would change the terminal's
  /// state are made visible; line ends and tabs stay.
  ///
  /// - Throws: `FileError.system`, for instance on a full disk.
  package static func printLine(_ text: String) throws(FileError) {
    try write(Array((text.visible(keepsLines: true) + "\n").utf8))
  }

  /// Writes bytes to standard output.
  package static func write(_ bytes: [UInt8]) throws(FileError) {
    let code = bytes.withUnsafeBytes { FileSystem.writeAll($0, to: STDOUT_FILENO) }
    if code != 0 {
      throw FileError.system(operation: "write", path: "standard output", code: code)
    }
  }

  /// Writes a text to standard error, as far as it takes it: there is nobody left to tell of a
  /// failure.
  package static func writeError(_ text: String) {
    _ = Array(text.utf8).withUnsafeBytes { FileSystem.writeAll($0, to: STDERR_FILENO) }
  }
}
