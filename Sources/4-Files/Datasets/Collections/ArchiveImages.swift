import FileFormats
import Foundation
import Images
import SystemSupport

/// The PNG and JPEG entries of a .zip, in the byte order of their paths: the same images in the
/// same order as those of the folder that was packed. Hidden entries are passed over.
package struct ArchiveImages: ImageCollection {
  /// Where the images are.
  package let path: String
  private let directory: ZipDirectory
  private let entries: [ZipDirectory.Entry]
  /// Number of images.
  package var count: Int { entries.count }

  /// - Throws: `ArchiveError.brokenZip` and `.noImages`.
  package init(path: String) throws {
    self.path = path
    directory = try ZipDirectory(path: path)
    entries = directory.entries.filter { entry in
      ImageNames.isImage(entry.name) && !ImageNames.isHidden(entry.name)
    }.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    guard !entries.isEmpty else { throw DatasetError.noImages(path: path) }
  }

  /// What errors call image `index`.
  package func name(of index: Int) -> String { entries[index].name }

  /// Width and height of image `index`.
  package func size(of index: Int) throws -> ImageSize {
    return try encoded(index).size()
  }

  /// Image `index`, decoded.
  package func image(_ index: Int) throws -> RGBImage {
    try encoded(index).decoded()
  }

  private func encoded(_ index: Int) throws -> EncodedImage {
    checkIndex(index)
    return try EncodedImage(
      directory.content(entries[index]), path: Files.join(path, entries[index].name))
  }
}
