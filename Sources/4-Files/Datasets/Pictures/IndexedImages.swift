import FileFormats
import Foundation
import SystemSupport
import TensorCore

/// Pictures of any size with their classes, as files in folders, in tar shards or in a .zip: listed, not
/// decoded, and read in any order by their place in memory-mapped files.
///
/// Listing looks at names, labels and places alone; a picture that cannot be decoded is an error of
/// whoever reads it.
package struct IndexedImages: Sendable {
  /// How they lie on disk.
  package enum Layout: String, Codable, Sendable, CaseIterable {
    /// One sub-folder a class.
    case folder
    /// WebDataset's shards, or one tar a class.
    case tar
    /// EDM's: a .zip or a folder of pictures with `dataset.json`.
    case packed
  }

  package struct Entry: Sendable {
    /// What tells it from the others: a path in the folder, the archive, or the shard.
    package let name: String
    /// Nil where nothing is labelled.
    package let label: Int?
    package var part = 0
    package var offset = 0
    package var size = 0
  }

  /// What the entries' places mean.
  enum Store: Sendable {
    /// The name is a path in the folder.
    case folder
    /// `part` is a tar, `offset` and `size` a range of its bytes.
    case tars([TarFile])
    /// `offset` is an entry of the directory.
    case zip(ZipDirectory)
  }

  package let path: String
  package let layout: Layout
  /// One name a class; empty where nothing is labelled.
  package let classNames: [String]
  package let entries: [Entry]
  private let store: Store

  init(
    path: String, layout: Layout, classNames: [String], entries: [Entry], store: Store
  ) {
    (self.path, self.layout, self.classNames) = (path, layout, classNames)
    (self.entries, self.store) = (entries, store)
  }

  /// Lists what lies at `path` in a known layout.
  package init(path: String, layout: Layout) throws {
    switch layout {
    case .folder: try self.init(classFolders: path)
    case .tar: try self.init(tars: path)
    case .packed: try self.init(packed: path)
    }
  }

  /// Lists what lies at `path`, told by its content: a folder with `dataset.json`, with .tar files, with
  /// class folders; a .tar; a .zip. Nil where it is none of these.
  package init?(anyLayout path: String) throws {
    guard let layout = try IndexedImages.layout(of: path) else { return nil }
    try self.init(path: path, layout: layout)
  }

  private static func layout(of path: String) throws -> Layout? {
    guard try Files.kind(path) == .folder else {
      switch FileKind(try Files.map(path)) {
      case .zip: return path.hasSuffix(".npz") ? nil : .packed
      case .tar: return .tar
      case .numpy, .gzip, .other: return path.hasSuffix(".tar") ? .tar : nil
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

  /// The class of picture `index`; nil where nothing is labelled.
  package func label(of index: Int) -> Int? { entries[index].label }

  /// A picture's bytes as they are stored; those in archives stay in the map.
  package func bytes(of index: Int) throws -> Data {
    checkIndex(index)
    let entry = entries[index]
    switch store {
    case .folder: return try Files.map(Files.join(path, entry.name))
    case .tars(let tars): return tars[entry.part].bytes(entry.offset, entry.size)
    case .zip(let directory): return try directory.content(directory.entries[entry.offset])
    }
  }

  package func encoded(_ index: Int) throws -> EncodedImage {
    try EncodedImage(bytes(of: index), path: name(of: index))
  }
}

extension IndexedImages: ImageCollection {
  package var count: Int { entries.count }

  package func name(of index: Int) -> String {
    guard case .tars(let tars) = store else { return Files.join(path, entries[index].name) }
    return Files.join(tars[entries[index].part].path, entries[index].name)
  }

  package func size(of index: Int) throws -> ImageSize {
    try encoded(index).size()
  }

  package func image(_ index: Int) throws -> RGBImage {
    try encoded(index).decoded()
  }
}

extension IndexedImages {
  /// A fingerprint of names, labels and contents, not of the path. Of a .zip it holds the checksums that
  /// the archive has. Otherwise it reads whole small files, and both ends of large ones: reading millions of
  /// photographs in full would take hours, and an edited one hardly ever keeps its size, its header and its
  /// end.
  ///
  /// - Parameters:
  ///   - resolution: pixels a side that pictures are brought to; 0: as they are.
  ///   - checkingHeaders: throws for a picture whose header cannot be read. A .zip's are not looked at.
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
        // Runs know folders by this order: a class, then the names in it.
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

  /// A fingerprint of names and labels, and of what archives tell about their entries; of folders it does
  /// not look at the files.
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
