import FileFormats
import Foundation
import Images
import Synchronization
import SystemSupport

/// Images in an array: uint8 [N, H, W, 3] in an `.npz` (`arr_0`, or its only array) or an `.npy`.
///
/// A stored array is used in place in a memory map, in any order. A deflated one is unpacked as a
/// stream: images are best asked for in rising order, and one that lies far behind the last begins
/// again from the start. An entry's checksum is compared when a stream ends; a stored array may be
/// larger than memory, and its bytes are not all read.
package final class ArrayImages: ImageCollection {
  /// Where the images are.
  package let path: String
  /// Number of images.
  package let count: Int
  private let size: ImageSize
  private let label: String
  private let rows: Rows

  private enum Rows {
    /// From the first image's first byte on.
    case mapped(Data)
    case stream(RowStream)
  }

  /// - Parameters:
  ///   - path: an `.npz` or `.npy`, recognised by its content.
  ///   - keptBytes: memory for images of a deflated array that were passed on the way to a later
  ///     one.
  /// - Throws: `ArchiveError.missingArray`, `.notImages`, `.wrongArraySize`, and errors of a
  ///   damaged .zip or NPY.
  package init(path: String, keptBytes: Int = 1 << 26) throws {
    self.path = path
    let source = try ArrayImages.source(path)
    label = source.label
    let header = source.header
    guard header.type == .uint8, header.shape.count == 4, header.shape[3] == 3,
      !header.isFortranOrder, header.count > 0
    else { throw DatasetError.notImages(path: source.label, found: header.summary) }
    guard header.byteCount == source.byteCount else {
      throw ArchiveError.wrongArraySize(
        path: source.label, expected: header.byteCount, found: source.byteCount)
    }
    count = header.shape[0]
    size = ImageSize(width: header.shape[2], height: header.shape[1])
    switch source.bytes {
    case .plain(let bytes): rows = .mapped(bytes)
    case .deflated(let directory, let entry, let headerSize):
      let rowSize = header.byteCount / count
      rows = .stream(
        RowStream(
          directory: directory, entry: entry, headerSize: headerSize, rowSize: rowSize,
          count: count, kept: max(keptBytes / rowSize, 1)))
    }
  }

  /// What errors call image `index`.
  package func name(of index: Int) -> String { "\(label)[\(index)]" }

  /// Width and height of image `index`.
  package func size(of index: Int) throws -> ImageSize {
    checkIndex(index)
    return size
  }

  /// Image `index`, decoded.
  package func image(_ index: Int) throws -> RGBImage {
    checkIndex(index)
    let rowSize = size.width * size.height * 3
    let pixels: [UInt8] =
      switch rows {
      case .mapped(let bytes): Array(bytes.dropFirst(index * rowSize).prefix(rowSize))
      case .stream(let stream): try stream.row(index)
      }
    return RGBImage(width: size.width, height: size.height, pixels: pixels)
  }

  private struct Source {
    enum Bytes {
      case plain(Data)
      case deflated(ZipDirectory, ZipDirectory.Entry, headerSize: Int)
    }
    let label: String
    let header: NumPyHeader
    /// Bytes of the elements in the file.
    let byteCount: Int
    let bytes: Bytes
  }

  private static func source(_ path: String) throws -> Source {
    let file = try Files.map(path)
    guard FileKind(file) == .zip else { return try plain(file, label: path) }
    let npz = try NPZFile(path)
    let names = npz.names
    let name = names.count == 1 ? names[0] : "arr_0"
    let (entry, label) = (try npz.entry(name), npz.label(name))
    let data = try npz.directory.compressed(entry)
    if entry.method == 0 { return try plain(data, label: label) }
    let stream = try InflateStream(data, name: entry.name, archive: path)
    var headerSize = 0
    let header = try NumPyHeader(path: label) { (count) throws in
      headerSize += count
      return try stream.read(min(count, max(entry.size - headerSize + count, 0)))
    }
    return Source(
      label: label, header: header, byteCount: entry.size - headerSize,
      bytes: .deflated(npz.directory, entry, headerSize: headerSize))
  }

  private static func plain(_ bytes: Data, label: String) throws -> Source {
    var rest = bytes
    let header = try NumPyHeader(path: label) { count in
      defer { rest = rest.dropFirst(count) }
      return Array(rest.prefix(count))
    }
    return Source(label: label, header: header, byteCount: rest.count, bytes: .plain(rest))
  }
}

/// The images of a deflated array, unpacked in order under a lock.
private final class RowStream: Sendable {
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
