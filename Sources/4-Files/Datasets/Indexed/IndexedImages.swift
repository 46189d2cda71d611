import FileFormats
import Foundation
import Images
import SystemSupport
import TensorCore

/// Images of any size with their classes, as files in folders, in tar shards or in a .zip: listed,
/// not decoded, and read in any order by their place in memory-mapped files.
///
/// Listing looks only at names, labels and places. An image that cannot be decoded is an error when
/// it is read.
package struct IndexedImages: Sendable {
  /// How the images are laid out on disk.
  package enum Layout: String, Codable, Sendable, CaseIterable {
    /// One sub-folder per class.
    case folder
    /// WebDataset's tar shards, or one tar per class.
    case tar
    /// The layout of EDM's dataset tool: a .zip or a folder of images with `dataset.json`.
    case packed
  }

  /// One image of the list.
  package struct Entry: Sendable {
    /// Its path in the folder, the archive, or the tar shard.
    package let name: String
    /// Nil where nothing is labelled.
    package let label: Int?
    /// Which tar it is in; 0 where there are no tars.
    package var part = 0
    /// In a tar its first byte; in a .zip its place in the directory.
    package var offset = 0
    /// In a tar its length in bytes; else 0.
    package var size = 0
  }

  /// Where the entries' bytes are.
  enum Store: Sendable {
    /// The name is a path in the folder.
    case folder
    /// `part` is a tar, `offset` and `size` a range of its bytes.
    case tars([TarFile])
    /// `offset` is an entry of the directory.
    case zip(ZipDirectory)
  }

  /// The folder, or the archive.
  package let path: String
  /// How the images are laid out.
  package let layout: Layout
  /// One name per class; empty where nothing is labelled.
  package let classNames: [String]
  /// The list, in the order of the set.
  package let entries: [Entry]
  /// What is beside the images and is not used.
  package let leftOut: LeftOut
  let store: Store

  init(
    path: String, layout: Layout, classNames: [String], entries: [Entry], store: Store,
    leftOut: LeftOut
  ) {
    (self.path, self.layout, self.classNames) = (path, layout, classNames)
    (self.entries, self.store, self.leftOut) = (entries, store, leftOut)
  }

  /// Lists the images at `path` in a known layout.
  package init(path: String, layout: Layout) throws {
    switch layout {
    case .folder: try self.init(classFolders: path)
    case .tar: try self.init(tars: path)
    case .packed: try self.init(packed: path)
    }
  }

  /// Lists the images at `path`. The content tells the layout: a folder with `dataset.json`, with
  /// .tar files or with class folders; a .tar; a .zip. Nil where it is none of these.
  ///
  /// - Throws: `DatasetError.strayImages` where labels would be lost.
  package init?(anyLayout path: String) throws {
    guard let layout = try IndexedImages.layout(of: path) else { return nil }
    try self.init(path: path, layout: layout)
  }

  private static func layout(of path: String) throws -> Layout? {
    guard try Files.kind(path) == .folder else {
      switch FileKind(try Files.map(path)) {
      case .zip: return path.hasSuffix(".npz") ? nil : .packed
      case .tar: return .tar
      default: return path.hasSuffix(".tar") ? .tar : nil
      }
    }
    if Files.kindIfPresent(Files.join(path, LabelList.fileName)) == .file { return .packed }
    let items = try Files.items(in: path).filter { !$0.isHidden }
    if items.contains(where: { TarFile.isName($0.name) }) { return .tar }
    if CIFAR10Dataset.isFolder(path) { return nil }
    if items.contains(where: { $0.kind == .file && ImageNames.isImage($0.name) }) {
      try refuseStrays(items, in: path)
      return nil
    }
    return .folder
  }

  /// The class of image `index`; nil where nothing is labelled.
  package func label(of index: Int) -> Int? { entries[index].label }

  /// An image's bytes as they are stored; those in archives stay in the map.
  package func bytes(of index: Int) throws -> Data {
    checkIndex(index)
    let entry = entries[index]
    switch store {
    case .folder: return try Files.map(Files.join(path, entry.name))
    case .tars(let tars): return tars[entry.part].bytes(entry.offset, entry.size)
    case .zip(let directory):
      return try directory.content(
        directory.entries[entry.offset], atMost: ImageFile.byteLimit)
    }
  }

  /// Image `index` as it is stored, its format known.
  package func encoded(_ index: Int) throws -> EncodedImage {
    try EncodedImage(bytes(of: index), path: name(of: index))
  }
}

extension IndexedImages: ImageCollection {
  /// Number of images.
  package var count: Int { entries.count }

  /// What errors call image `index`.
  package func name(of index: Int) -> String {
    guard case .tars(let tars) = store else { return Files.join(path, entries[index].name) }
    return Files.join(tars[entries[index].part].path, entries[index].name)
  }

  /// Width and height of image `index`.
  package func size(of index: Int) throws -> ImageSize {
    try encoded(index).size()
  }

  /// Image `index`, decoded.
  package func image(_ index: Int) throws -> RGBImage {
    try encoded(index).decoded()
  }
}
