import Foundation

/// The PNG and JPEG entries of a .zip, in the byte order of their paths: the same images in the same
/// order as those of the folder that was packed. Hidden entries are passed over.
public struct ArchiveImages: ImageCollection {
  public let path: String
  private let directory: ZipDirectory
  private let entries: [ZipDirectory.Entry]
  public var count: Int { entries.count }

  /// - Throws: `DatasetError.brokenZip` and `.noImages`.
  public init(path: String) throws(DatasetError) {
    self.path = path
    directory = try ZipDirectory(path: path)
    entries = directory.entries.filter { entry in
      ImageNames.isImage(entry.name) && !ImageNames.isHidden(entry.name)
    }.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    guard !entries.isEmpty else { throw .noImages(path: path) }
  }

  public func name(of index: Int) -> String { entries[index].name }

  public func size(of index: Int) throws(DatasetError) -> ImageSize {
    return try encoded(index).size()
  }

  public func image(_ index: Int) throws(DatasetError) -> RGBImage {
    try encoded(index).decoded()
  }

  private func encoded(_ index: Int) throws(DatasetError) -> EncodedImage {
    checkIndex(index)
    return try EncodedImage(
      directory.content(entries[index]), path: Files.join(path, entries[index].name))
  }
}
