import Foundation
import SystemSupport

/// `stats.jsonl`: one JSON object per line. Each row is passed to the operating system at once, so
/// a killed run keeps every row that it wrote.
package final class StatsFile: Sendable {
  /// What `truncate` did.
  package struct Truncation: Equatable, Sendable {
    /// Rows that stayed.
    package var kept: Int
    /// Rows after the checkpoint, which were removed.
    package var dropped: Int
    /// Lines that are not JSON objects, such as a row cut off by a crash, which were removed too.
    package var unreadable: Int

    /// A result with these counts.
    package init(kept: Int = 0, dropped: Int = 0, unreadable: Int = 0) {
      (self.kept, self.dropped, self.unreadable) = (kept, dropped, unreadable)
    }
  }

  /// The path of the file.
  package let path: String
  private let descriptor: Int32

  /// Opens the file for appending, and creates it if there is none. An incomplete last line is
  /// removed, because the next row would be joined to it.
  package init(_ url: URL) throws {
    path = url.path
    descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw FileError.system(operation: "create", path: path, code: errno)
    }
    // A device has no rows.
    let bytes = try FileSystem.size(of: path) == 0 ? [] : try InputFile.contents(of: path)
    let whole = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    if whole < bytes.count, ftruncate(descriptor, off_t(whole)) != 0 {
      throw FileError.system(operation: "truncate", path: path, code: errno)
    }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Appends a row with sorted keys. Infinities and NaN become the strings "inf", "-inf" and "nan".
  ///
  /// - Throws: `CheckpointError.statsRow` for what JSON cannot express.
  package func append(_ row: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let line: [UInt8]
    do {
      line = Array(try encoder.encode(row)) + [UInt8(ascii: "\n")]
    } catch {
      throw CheckpointError.statsRow(path: path, reason: "\(error)".replacing("\n", with: " "))
    }
    guard line.first == UInt8(ascii: "{") else {
      throw CheckpointError.statsRow(
        path: path, reason: "\(type(of: row)) is not an object with members")
    }
    let code = line.withUnsafeBytes { FileSystem.writeAll($0, to: descriptor) }
    guard code == 0 else { throw FileError.system(operation: "write", path: path, code: code) }
  }

  /// All rows without incomplete ones; none if there is no file.
  package static func rows(_ url: URL) throws -> [[String: Any]] {
    guard try FileSystem.exists(url.path) else { return [] }
    return try InputFile.contents(of: url.path).split(separator: UInt8(ascii: "\n"))
      .compactMap(row)
  }

  /// The rows that can be read as a type, with its numbers to the last bit; others are left out.
  package static func rows<Row: Decodable>(_ url: URL, as type: Row.Type) throws -> [Row] {
    guard try FileSystem.exists(url.path) else { return [] }
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try InputFile.contents(of: url.path).split(separator: UInt8(ascii: "\n"))
      .compactMap { try? decoder.decode(type, from: Data($0)) }
  }

  private static func row(_ line: ArraySlice<UInt8>) -> [String: Any]? {
    try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
  }

  /// Removes the rows whose `images` exceed a number, and incomplete rows; rows without `images`
  /// stay. The file is replaced as a whole or not at all. Nothing happens if there is no file. Call
  /// it before the file is opened.
  ///
  /// - Parameters:
  ///   - url: the file.
  ///   - images: the image count of the checkpoint that the run continues from.
  @discardableResult
  package static func truncate(
    _ url: URL, afterImages images: Int
  ) throws -> Truncation {
    let path = url.path
    guard try FileSystem.exists(path) else { return Truncation() }
    var result = Truncation()
    var kept: [UInt8] = []
    let bytes = try InputFile.contents(of: path)
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      guard let row = row(line) else {
        result.unreadable += 1
        continue
      }
      if let seen = row["images"] as? Double, seen > Double(images) {
        result.dropped += 1
      } else {
        result.kept += 1
        kept += line
        kept.append(UInt8(ascii: "\n"))
      }
    }
    guard kept != bytes else { return result }
    try AtomicFile.write(kept, to: path, durable: true)
    return result
  }
}
