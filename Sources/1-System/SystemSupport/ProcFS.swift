import Foundation

/// Files in which the kernel reports about the machine and this process (proc(5), sysfs(5)). A file
/// that does not exist reads as empty; the caller decides what that means.
package enum ProcFS {
  /// The whole text of a file. It is read to the end, because the kernel returns /proc in pieces,
  /// and a short piece need not be the last.
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

  /// The bytes in a line `key:   1234 kB` of /proc/meminfo or /proc/self/status; nil if there is no
  /// such line.
  package static func bytes(_ key: String, in info: String) -> Int? {
    info.split(separator: "\n").first { $0.hasPrefix(key + ":") }
      .flatMap { Int($0.split(separator: " ").dropFirst().first ?? "") }.map { $0 * 1024 }
  }
}
