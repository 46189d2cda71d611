import Foundation

/// Small files of JSON: records, descriptions and settings, by this program or by others.
package enum JSONFile {
  /// Bytes of the largest that is read; those that are written are far below. JSON takes many times
  /// its size in memory, so a file that only calls itself one must not be read whole.
  package static let largest = 32 << 20

  /// The bytes of a file; nil where there is none.
  ///
  /// - Throws: `FileError` where it is no regular file, too large, or by its first bytes something
  ///   else.
  package static func bytes(ifPresent path: String) throws(FileError) -> [UInt8]? {
    guard try FileSystem.exists(path) else { return nil }
    let bytes = try contents(path)
    try FileUse.json.check(bytes, path: path)
    return bytes
  }

  /// The bytes of a file that is there, whatever they are.
  package static func contents(_ path: String) throws(FileError) -> [UInt8] {
    let file = try InputFile(path)
    let size = try file.size
    guard size <= largest else {
      throw .unreadable(
        path: path, reason: "it has \(size) bytes, expected JSON of at most \(largest) bytes")
    }
    return try file.bytes(0..<size)
  }
}
