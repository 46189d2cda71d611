import CArchive
import Foundation
import SystemSupport

/// A deflated entry, unpacked from its beginning on by zlib. Used by one thread at a time.
package final class InflateStream {
  /// Deflate packs at most 1032 bytes into one.
  static let highestRatio = 1032

  private let source: Data
  private let name: String
  private let archive: String
  private let state: UnsafeMutableRawPointer
  private var used = 0
  private var made = 0

  /// - Parameters:
  ///   - source: deflate's bytes.
  ///   - name: the entry, for errors.
  package init(_ source: Data, name: String, archive: String) throws {
    guard let state = carchive_inflate_open() else {
      throw FileError.unreadable(path: archive, reason: "out of memory")
    }
    (self.source, self.name, self.archive, self.state) = (source, name, archive, state)
  }

  deinit { carchive_inflate_close(state) }

  /// The next bytes, exactly as many as asked for.
  package func read(_ count: Int) throws -> [UInt8] {
    let (bytes, isWhole) = next(count)
    guard isWhole && bytes.count == count else {
      throw ArchiveError.brokenZip(
        path: archive, reason: "\(name) is damaged or cut off after \(made) bytes")
    }
    return bytes
  }

  /// All that follows.
  ///
  /// - Throws: where that is more than `limit` bytes, or damaged.
  func readToEnd(atMost limit: Int) throws -> [UInt8] {
    let (bytes, isWhole) = next(limit + 1)
    guard isWhole && bytes.count <= limit else {
      throw ArchiveError.brokenZip(
        path: archive, reason: "\(name) is damaged, or longer than \(limit) bytes")
    }
    return bytes
  }

  /// At most `count` bytes, and whether the source is whole so far.
  private func next(_ count: Int) -> (bytes: [UInt8], isWhole: Bool) {
    guard count > 0 else { return ([], true) }
    var status: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
      source.withUnsafeBytes { source in
        let rest = UnsafeRawBufferPointer(rebasing: source[used...])
        var (taken, got) = (0, 0)
        status = carchive_inflate(
          state, rest.baseAddress, rest.count, &taken, buffer.baseAddress, count, &got)
        used += taken
        written = got
      }
    }
    made += bytes.count
    return (bytes, status == 0)
  }
}

/// The checksum of .zip entries (zlib's `crc32`).
package struct Checksum32 {
  /// The checksum of all bytes so far; 0 before the first.
  package private(set) var value: UInt32 = 0

  /// Goes on from a checksum; from none by default.
  package init(value: UInt32 = 0) {
    self.value = value
  }

  /// Adds bytes to the end of those that are summed up.
  package mutating func update(_ bytes: some Collection<UInt8>) {
    // A null pointer would mean a new start to zlib.
    guard !bytes.isEmpty else { return }
    let start = value
    let next = { (buffer: UnsafeBufferPointer<UInt8>) in
      carchive_crc32(start, buffer.baseAddress, buffer.count)
    }
    value =
      bytes.withContiguousStorageIfAvailable(next) ?? Array(bytes).withUnsafeBufferPointer(next)
  }

  /// The checksum of some bytes.
  package static func of(_ bytes: some Collection<UInt8>) -> UInt32 {
    var checksum = Checksum32()
    checksum.update(bytes)
    return checksum.value
  }
}
