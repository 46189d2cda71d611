import FileFormats
import Foundation

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
        digest.add(name(entry, in: classNames[label], algorithm))
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

  /// An entry's path from its class folder on.
  private func name(
    _ entry: Entry, in className: String, _ algorithm: DigestAlgorithm
  ) -> String {
    switch algorithm {
    case .xxh3: String(Substring(entry.name.utf8.dropFirst(className.utf8.count + 1)))
    // Characters were dropped for bytes: behind a class's name with letters beyond ASCII, the first
    // characters of the images' names were left out. Saved digests are compared with the same.
    case .old: String(entry.name.dropFirst(className.utf8.count + 1))
    }
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
