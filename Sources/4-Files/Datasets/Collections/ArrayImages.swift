import FileFormats
import Foundation
import Images
import SystemSupport

/// Images in an array: uint8 [N, H, W, 3] in an `.npz` (`arr_0`, or its only array) or an `.npy`.
///
/// A stored array is used in place in a memory map, in any order; its checksum is compared when the
/// first image is read. A deflated one is unpacked as a stream: images are best asked for in rising
/// order, and one that lies far behind the last begins again from the start; its checksum is
/// compared when the stream ends. An `.npy` has none.
///
/// `arr_1`, where an `.npz` has it, holds the images' classes as whole numbers [N].
package final class ArrayImages: ImageCollection {
  /// Where the images are.
  package let path: String
  /// Number of images.
  package let count: Int
  /// Nil for an `.npy`.
  private let archive: NPZFile?
  private let size: ImageSize
  private let label: String
  private let rows: Rows

  private enum Rows {
    /// From the first image's first byte on; the entry that they belong to.
    case mapped(Data, StoredEntry?)
    case stream(RowStream)
  }

  /// - Parameters:
  ///   - path: an `.npz` or `.npy`, recognised by its content.
  ///   - keptBytes: memory for images of a deflated array that were passed on the way to a later
  ///     one.
  /// - Throws: `ArchiveError.missingArray`, `.notImages`, `.wrongArraySize`,
  ///   `ImageError.imageTooLarge`, and errors of a damaged .zip or NPY.
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
    guard size.width <= ImageFile.pixelLimit / size.height else {
      throw ImageError.imageTooLarge(
        path: source.label, width: size.width, height: size.height, limit: ImageFile.pixelLimit)
    }
    archive = source.archive
    switch source.bytes {
    case .plain(let bytes, let entry): rows = .mapped(bytes, entry)
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
    let pixels: [UInt8]
    switch rows {
    case .mapped(let bytes, let entry):
      try entry?.check()
      pixels = Array(bytes.dropFirst(index * rowSize).prefix(rowSize))
    case .stream(let stream): pixels = try stream.row(index)
    }
    return RGBImage(width: size.width, height: size.height, pixels: pixels)
  }

  private struct Source {
    enum Bytes {
      case plain(Data, StoredEntry?)
      case deflated(ZipDirectory, ZipDirectory.Entry, headerSize: Int)
    }
    let label: String
    let header: NumPyHeader
    /// Bytes of the elements in the file.
    let byteCount: Int
    let bytes: Bytes
    /// Nil for an `.npy`.
    var archive: NPZFile?
  }

  private static func source(_ path: String) throws -> Source {
    let file = try Files.map(path)
    guard FileKind(file) == .zip else { return try plain(file, label: path) }
    let npz = try NPZFile(path)
    let names = npz.names
    let name = names.count == 1 ? names[0] : "arr_0"
    let (entry, label) = (try npz.entry(name), npz.label(name))
    let data = try npz.directory.compressed(entry)
    if entry.method == 0 {
      let stored = StoredEntry(data, checksum: entry.crc, name: entry.name, archive: path)
      return try plain(data, label: label, stored, npz)
    }
    let stream = try InflateStream(data, name: entry.name, archive: path)
    var headerSize = 0
    let header = try NumPyHeader(path: label) { (count) throws in
      headerSize += count
      return try stream.read(min(count, max(entry.size - headerSize + count, 0)))
    }
    return Source(
      label: label, header: header, byteCount: entry.size - headerSize,
      bytes: .deflated(npz.directory, entry, headerSize: headerSize), archive: npz)
  }

  private static func plain(
    _ bytes: Data, label: String, _ entry: StoredEntry? = nil, _ archive: NPZFile? = nil
  ) throws -> Source {
    var rest = bytes
    let header = try NumPyHeader(path: label) { count in
      defer { rest = rest.dropFirst(count) }
      return Array(rest.prefix(count))
    }
    return Source(
      label: label, header: header, byteCount: rest.count, bytes: .plain(rest, entry),
      archive: archive)
  }

  /// The class of each image, from `arr_1`; nil where the file says nothing.
  ///
  /// - Throws: `DatasetError.brokenLabels`, and errors of a damaged .zip or NPY.
  package func labels() throws -> [Int]? {
    guard let archive, let array = try archive.arrayIfPresent("arr_1") else {
      return nil
    }
    guard let labels = array.integers, array.shape == [count],
      labels.allSatisfy({ (0..<LabelList.classLimit).contains($0) })
    else {
      throw DatasetError.brokenLabels(
        path: archive.label("arr_1"),
        reason: "found \(array.summary), expected whole numbers [\(count)] from 0 on")
    }
    return labels
  }
}
