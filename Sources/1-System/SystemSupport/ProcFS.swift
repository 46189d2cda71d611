import Foundation

/// Files in which the kernel tells about the machine and this process (proc(5), sysfs(5)). A file
/// that is not there reads as empty: whoever asks decides what that means.
package enum ProcFS {
  /// Read to the end: the kernel hands out /proc in pieces, and a short piece is not the last.
  package static func text(_ path: String) -> String {
    guard let file = FileHandle(forReadingAtPath: path) else { return "" }
    var bytes = Data()
    while let piece = try? file.read(upToCount: 1 << 16), !piece.isEmpty { bytes += piece }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The names in a folder, sorted.
  package static func names(in folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }

  /// Bytes of a line `key:   1234 kB` of /proc/meminfo or /proc/self/status; nil where there is no
  /// such line.
  package static func bytes(_ key: String, in info: String) -> Int? {
    info.split(separator: "\n").first { $0.hasPrefix(key + ":") }
      .flatMap { Int($0.split(separator: " ").dropFirst().first ?? "") }.map { $0 * 1024 }
  }
}
