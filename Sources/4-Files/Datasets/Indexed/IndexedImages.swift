import FileFormats
import Foundation
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
  private let store: Store

  init(
    path: String, layout: Layout, classNames: [String], entries: [Entry], store: Store
  ) {
    (self.path, self.layout, self.classNames) = (path, layout, classNames)
    (self.entries, self.store) = (entries, store)
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
    let names = try Files.names(in: path)
    if names.contains(where: { TarFile.isName($0) }) { return .tar }
    if CIFAR10Dataset.isFolder(path) || names.contains(where: { ImageNames.isImage($0) }) {
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
    case .zip(let directory): return try directory.content(directory.entries[entry.offset])
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

extension IndexedImages {
  /// A fingerprint of names, labels and contents, not of the path. For a .zip it uses the checksums
  /// that the archive has. Otherwise it reads small files whole, and both ends of large ones:
  /// reading millions of photographs in full would take hours, and an edited photograph hardly ever
  /// keeps its size, its header and its end.
  ///
  /// - Parameters:
  ///   - resolution: side in pixels that images are resized to; 0: they are not resized.
  ///   - checkingHeaders: whether to throw for an image whose header cannot be read. Those in a
  ///     .zip are not looked at.
  package func contentDigest(
    resolution: Int = 0, checkingHeaders: Bool = false, by algorithm: DigestAlgorithm = .xxh3
  ) throws -> String {
    var digest = ContentDigest(algorithm)
    digest.add(resolution)
    if layout != .folder {
      digest.add(classNames.count)
      for name in classNames { digest.add(name) }
    }
    var folder = -1
    for (index, entry) in entries.enumerated() {
      if layout == .folder, let label = entry.label {
        // The digest of a folder is defined in this order: a class, then the names in it.
        if label != folder { digest.add(classNames[label]) }
        folder = label
        digest.add(String(entry.name.dropFirst(classNames[label].utf8.count + 1)))
      } else {
        digest.add(entry.name)
        digest.add(entry.label.map { $0 + 1 } ?? 0)
      }
      if case .zip(let directory) = store {
        digest.add(directory.entries[entry.offset].size)
        digest.add(Int(directory.entries[entry.offset].crc))
        continue
      }
      let bytes = try bytes(of: index)
      if checkingHeaders { _ = try EncodedImage(bytes, path: name(of: index)).size() }
      digest.add(endsOf: bytes)
    }
    return digest.text
  }

  /// A fingerprint of names and labels, and of what archives say of their entries. It does not look
  /// at the files of a folder.
  package func listDigest(by algorithm: DigestAlgorithm) -> String {
    var digest = ContentDigest(algorithm)
    for entry in entries {
      digest.add(entry.name)
      digest.add(entry.label.map { $0 + 1 } ?? 0)
      switch store {
      case .folder: break
      case .tars: digest.add(entry.size)
      case .zip(let directory): digest.add(Int(directory.entries[entry.offset].crc))
      }
    }
    return digest.text
  }
}

extension ContentDigest {
  fileprivate mutating func add(endsOf bytes: Data) {
    let end = 8192
    add(bytes.count)
    if bytes.count <= 2 * end {
      add(bytes)
    } else {
      add(bytes.prefix(end))
      add(bytes.suffix(end))
    }
  }
}
