import FileFormats
import Images
import SystemSupport

/// The PNG and JPEG files in a folder and its sub-folders at any depth, in the byte order of their
/// paths. Hidden files and folders, and files of other kinds, are left out and counted.
package struct FolderImages: ImageCollection {
  /// Where the images are.
  package let path: String
  /// Paths relative to the folder.
  package let names: [String]
  /// Files of other kinds.
  package let leftOut: LeftOut
  /// Number of images.
  package var count: Int { names.count }

  /// - Throws: `DatasetError.emptyFolder` and `.noImages`.
  package init(path: String) throws {
    self.path = path
    let listing = try FolderListing(path: path)
    guard listing.found > 0 else { throw DatasetError.emptyFolder(path: path) }
    guard !listing.names.isEmpty else {
      throw DatasetError.noImages(path: path, found: listing.leftOut)
    }
    names = FileName.sorted(listing.names, by: \.self)
    leftOut = listing.leftOut
  }

  /// What errors call image `index`.
  package func name(of index: Int) -> String { names[index] }

  /// Width and height of image `index`.
  package func size(of index: Int) throws -> ImageSize {
    checkIndex(index)
    return try EncodedImage(path: Files.join(path, names[index])).size()
  }

  /// Image `index`, decoded.
  package func image(_ index: Int) throws -> RGBImage {
    checkIndex(index)
    return try ImageFile.read(Files.join(path, names[index]))
  }
}
