import FileFormats
import Foundation
import Images
import SystemSupport

/// The PNG and JPEG files in a folder and its sub-folders at any depth, in the byte order of their
/// paths. Hidden files and folders, and files of other kinds, are ignored.
package struct FolderImages: ImageCollection {
  /// Where the images are.
  package let path: String
  /// Paths relative to the folder.
  package let names: [String]
  /// Number of images.
  package var count: Int { names.count }

  /// - Throws: `DatasetError.emptyFolder` and `.noImages`.
  package init(path: String) throws {
    self.path = path
    var names: [String] = []
    var found = 0
    // Links are followed; one that leads back to a folder above would never end.
    func list(_ folder: String, _ prefix: String, depth: Int) throws {
      guard depth < 32 else {
        throw FileError.unreadable(
          path: folder, reason: "its folders are 32 deep, so a link leads back up")
      }
      for name in try Files.names(in: folder) {
        found += 1
        let file = Files.join(folder, name)
        if ImageNames.isImage(name) && Files.kindIfPresent(file) == .file {
          names.append(prefix + name)
        } else if Files.kindIfPresent(file) == .folder {
          try list(file, prefix + name + "/", depth: depth + 1)
        }
      }
    }
    try list(path, "", depth: 0)
    guard found > 0 else { throw DatasetError.emptyFolder(path: path) }
    guard !names.isEmpty else { throw DatasetError.noImages(path: path) }
    self.names = ImageNames.sorted(names)
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

/// Which names are images, and their order, the same in folders and archives.
enum ImageNames {
  static func isImage(_ name: String) -> Bool {
    let name = name.lowercased()
    return [".png", ".jpg", ".jpeg"].contains { name.hasSuffix($0) }
  }

  /// Whether the file or a folder above it begins with a point.
  static func isHidden(_ name: String) -> Bool {
    name.split(separator: "/").contains { $0.hasPrefix(".") && $0 != "." }
  }

  /// Sorted by the bytes of the names, so that the order is the same on every system.
  static func sorted(_ names: [String]) -> [String] {
    names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
