import FileFormats
import Images
import SystemSupport

/// The PNG and JPEG entries of a .zip, in the byte order of their paths: the same images in the
/// same order as those of the folder that was packed. Hidden entries, and entries of other kinds,
/// are left out and counted.
package struct ArchiveImages: ImageCollection {
  /// Where the images are.
  package let path: String
  /// Entries of other kinds.
  package let leftOut: LeftOut
  private let directory: ZipDirectory
  private let entries: [ZipDirectory.Entry]
  /// Number of images.
  package var count: Int { entries.count }

  /// - Throws: `ArchiveError.brokenZip` and `.noImages`.
  package init(path: String) throws {
    self.path = path
    directory = try ZipDirectory(path: path)
    let listing = try ZipListing(directory)
    entries = listing.images.map { [directory] in directory.entries[$0] }
    leftOut = listing.leftOut
    guard !entries.isEmpty else { throw DatasetError.noImages(path: path, found: leftOut) }
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
      directory.content(entries[index], atMost: ImageFile.byteLimit),
      path: Files.join(path, entries[index].name))
  }
}
