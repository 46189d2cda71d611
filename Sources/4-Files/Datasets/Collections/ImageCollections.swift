import FileFormats
import Foundation
import SystemSupport

/// Opens any kind of image collection.
package enum ImageCollections {
  /// Opens the collection at a path. Its content tells what it is, or its name where the content
  /// does not:
  ///
  /// | path | images |
  /// | --- | --- |
  /// | a folder with CIFAR-10's `.bin` files, or its parent | the split's |
  /// | a .tar, or a folder of them | the PNG and JPEG files in them |
  /// | another folder | the PNG and JPEG files in it, at any depth |
  /// | a .zip of PNG and JPEG files | those |
  /// | an `.npz` or `.npy` | of the array |
  /// | CIFAR-10's `.tar.gz` | the split's |
  /// | a `.bin` file, such as `test_batch.bin` | its records |
  ///
  /// - Parameter split: of CIFAR-10; a single `.bin` file needs none.
  package static func open(
    _ path: String, split: CIFAR10Dataset.Split = .train
  ) throws -> any ImageCollection {
    if try Files.kind(path) == .folder {
      if CIFAR10Dataset.isFolder(path) {
        return DatasetImages(try CIFAR10Dataset(path: path, split: split), path: path)
      }
      if try Files.names(in: path).contains(where: { TarFile.isName($0) }) {
        return try IndexedImages(path: path, layout: .tar)
      }
      return try FolderImages(path: path)
    }
    let kind = FileKind(try Files.map(path))
    switch kind {
    case .zip:
      let entries = try ZipDirectory(path: path).entries
      let isArrays = !entries.isEmpty && entries.allSatisfy { $0.name.hasSuffix(".npy") }
      return isArrays || path.hasSuffix(".npz")
        ? try ArrayImages(path: path) : try ArchiveImages(path: path)
    case .tar:
      return try IndexedImages(path: path, layout: .tar)
    case .numpy:
      return try ArrayImages(path: path)
    case .gzip:
      return DatasetImages(try CIFAR10Dataset(path: path, split: split), path: path)
    default:
      try FileUse.images.check(kind, path: path)
      // Here the content does not tell: a file that is cut off at its beginning, or records without
      // a header.
      if path.hasSuffix(".npz") || path.hasSuffix(".npy") { return try ArrayImages(path: path) }
      if path.hasSuffix(".tar") { return try IndexedImages(path: path, layout: .tar) }
      if path.hasSuffix(".zip") { return try ArchiveImages(path: path) }
      if path.hasSuffix(".bin") {
        return DatasetImages(try CIFAR10Dataset(file: path), path: path)
      }
      throw DatasetError.unknownCollection(path: path)
    }
  }
}
