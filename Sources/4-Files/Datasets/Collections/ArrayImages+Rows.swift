import FileFormats
import Foundation
import Synchronization
import SystemSupport

/// The bytes of an array that is stored in an archive, whose checksum is compared once.
final class StoredEntry: Sendable {
  private let bytes: Data
  private let checksum: UInt32
  private let name: String
  private let archive: String
  /// Nil: it was not compared yet.
  private let isRight = Mutex<Bool?>(nil)

  init(_ bytes: Data, checksum: UInt32, name: String, archive: String) {
    (self.bytes, self.checksum, self.name, self.archive) = (bytes, checksum, name, archive)
  }

  /// - Throws: `ArchiveError.wrongChecksum`.
  func check() throws {
    let isRight = isRight.withLock { known in
      let right = known ?? (Checksum32.of(bytes) == checksum)
      known = right
      return right
    }
    guard isRight else { throw ArchiveError.wrongChecksum(path: archive, name: name) }
  }
}

/// The images of a deflated array, unpacked in order under a lock.
final class RowStream: Sendable {
  private struct State: ~Copyable {
    var stream: InflateStream?
    var checksum = Checksum32()
    var next = 0
    var kept: [Int: [UInt8]] = [:]
  }

  private let directory: ZipDirectory
  private let entry: ZipDirectory.Entry
  private let headerSize: Int
  private let rowSize: Int
  private let count: Int
  private let keptCount: Int
  private let state = Mutex(State())

  init(
    directory: ZipDirectory, entry: ZipDirectory.Entry, headerSize: Int, rowSize: Int, count: Int,
    kept: Int
  ) {
    (self.directory, self.entry, self.headerSize) = (directory, entry, headerSize)
    (self.rowSize, self.count, keptCount) = (rowSize, count, kept)
  }

  func row(_ index: Int) throws -> [UInt8] {
    let row = state.withLock { state in
      Result { () throws in
        do throws {
          return try read(index, &state)
        } catch {
          // It is unknown how far the stream has been read.
          state = State()
          throw error
        }
      }
    }
    return try row.get()
  }

  private func read(_ index: Int, _ state: inout State) throws -> [UInt8] {
    if let row = state.kept[index] { return row }
    if state.stream == nil || index < state.next {
      state = State()
      let stream = try InflateStream(
        directory.compressed(entry), name: entry.name, archive: directory.path)
      state.checksum.update(try stream.read(headerSize))
      state.stream = stream
    }
    guard let stream = state.stream else { preconditionFailure("RowStream: no stream") }
    var row: [UInt8] = []
    while state.next <= index {
      row = try stream.read(rowSize)
      state.checksum.update(row)
      state.kept[state.next] = row
      state.kept[state.next - keptCount] = nil
      state.next += 1
    }
    if state.next == count && state.checksum.value != entry.crc {
      throw ArchiveError.brokenZip(
        path: directory.path, reason: "the checksum of \(entry.name) is wrong")
    }
    return row
  }
}
