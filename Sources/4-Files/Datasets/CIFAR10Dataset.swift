import FileFormats
import Foundation
import Images
import SystemSupport

/// CIFAR-10 in its official binary layout: records of one label byte and 3 x 32 x 32 pixel bytes,
/// planes of red, green and blue.
///
/// Source: Krizhevsky, "Learning multiple layers of features from tiny images" (2009).
package struct CIFAR10Dataset: ImageDataset {
  /// One of the official parts of the set.
  package enum Split: String, Sendable, CaseIterable {
    case train, test

    /// The split's files, in the order of its images.
    package var fileNames: [String] {
      switch self {
      case .train: (1...5).map { "data_batch_\($0).bin" }
      case .test: ["test_batch.bin"]
      }
    }
  }

  /// Bytes of one record, a label byte and the pixels: 3,073.
  package static let recordSize = 1 + planes * side * side
  /// Bytes of all files in an archive: more than five times those of the official one.
  private static let archiveLimit = 1 << 30
  private static let side = 32
  private static let planes = 3
  private static let folderName = "cifar-10-batches-bin"

  /// Number of images.
  package let count: Int
  /// Side of every image in pixels.
  package var resolution: Int { CIFAR10Dataset.side }
  /// One name per class; a label is an index into it.
  package let classNames = CIFAR10Dataset.classes
  /// The names of the ten classes, in the order of their labels.
  package static let classes = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
  ]
  /// A fingerprint of images, order and labels.
  package let contentDigest: String

  private struct File {
    let bytes: Data
    let records: Range<Int>
  }
  private let files: [File]

  /// Opens the set and checks every label. A folder's files are memory maps. An archive, which
  /// cannot be mapped because it is compressed, is unpacked into memory (154 MB for `train`) unless
  /// another process of the node has done so.
  ///
  /// - Parameters:
  ///   - path: the folder with the `.bin` files, its parent, or the official `.tar.gz`. A file may
  ///     hold any whole number of records.
  ///   - staged: the archive's files as `stage(path:split:)` has unpacked them.
  package init(
    path: String, split: Split = .train, staged: StagedFiles? = nil
  ) throws {
    var staged = staged
    if staged == nil { staged = try CIFAR10Dataset.stage(path: path, split: split) }
    if let staged {
      try self.init(CIFAR10Dataset.files(of: staged, path, split))
    } else {
      try self.init(CIFAR10Dataset.files(inFolder: path, split))
    }
  }

  /// Opens the records of a single file, such as `test_batch.bin`, and checks every label.
  package init(file path: String) throws {
    try self.init([(path, Files.map(path))])
  }

  private init(_ sources: [(name: String, bytes: Data)]) throws {
    var files: [File] = []
    for (name, bytes) in sources {
      let begin = files.last?.records.upperBound ?? 0
      let records = try CIFAR10Dataset.checkedRecords(of: bytes, name, classes: classNames.count)
      files.append(File(bytes: bytes, records: begin..<begin + records))
    }
    self.files = files
    count = files.last?.records.upperBound ?? 0
    contentDigest = Self.digest(classNames, files, .xxh3)
  }

  package func contentDigest(by algorithm: DigestAlgorithm) -> String {
    Self.digest(classNames, files, algorithm)
  }

  private static func digest(
    _ classNames: [String], _ files: [File], _ algorithm: DigestAlgorithm
  ) -> String {
    var digest = ContentDigest(algorithm)
    for name in classNames { digest.add(name) }
    for file in files { digest.add(file.bytes) }
    return digest.text
  }

  /// Writes image `index` as 8-bit RGB and returns its label.
  package func read(
    _ index: Int, into pixels: UnsafeMutableBufferPointer<UInt8>
  ) throws -> Int {
    checkRead(index, pixels)
    return withRecord(index) { label, planes in
      RGBImage.interleave(planes: planes, into: pixels)
      return label
    }
  }

  /// Writes image `index` in [-1, 1] and returns its label.
  package func read(
    _ index: Int, normalizedInto values: UnsafeMutableBufferPointer<Float>
  ) throws -> Int {
    withRecord(index) { label, planes in
      RGBImage.normalize(planes: planes, into: values)
      return label
    }
  }

  /// Label and planes, [3, resolution, resolution], of image `index`.
  private func withRecord<Result>(
    _ index: Int, _ body: (Int, UnsafeRawBufferPointer) -> Result
  ) -> Result {
    guard let file = files.first(where: { $0.records.contains(index) }) else {
      fatalError("CIFAR10Dataset.read: no file holds image \(index)")
    }
    let start = (index - file.records.lowerBound) * CIFAR10Dataset.recordSize
    return file.bytes.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
      let planes = start + 1..<start + CIFAR10Dataset.recordSize
      return body(Int(bytes[start]), UnsafeRawBufferPointer(rebasing: bytes[planes]))
    }
  }

  private static func checkedRecords(
    of bytes: Data, _ path: String, classes: Int
  ) throws -> Int {
    guard !bytes.isEmpty && bytes.count % recordSize == 0 else {
      throw DatasetError.truncated(path: path, size: bytes.count, recordSize: recordSize)
    }
    let records = bytes.count / recordSize
    let wrong = bytes.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
      (0..<records).first { Int(bytes[$0 * recordSize]) >= classes }
    }
    if let wrong {
      throw DatasetError.labelOutOfRange(
        path: path, record: wrong, label: Int(bytes[bytes.startIndex + wrong * recordSize]),
        classes: classes)
    }
    return records
  }

  /// Whether a folder, or the official one in it, holds a file of either split.
  package static func isFolder(_ path: String) -> Bool {
    let names = Split.allCases.flatMap(\.fileNames)
    return [path, Files.join(path, folderName)].contains { folder in
      names.contains { Files.kindIfPresent(Files.join(folder, $0)) == .file }
    }
  }

  private static func files(
    inFolder path: String, _ split: Split
  ) throws -> [(name: String, bytes: Data)] {
    let inner = Files.join(path, folderName)
    let folder = Files.kindIfPresent(inner) == .folder ? inner : path
    var files: [(name: String, bytes: Data)] = []
    for name in split.fileNames {
      let file = Files.join(folder, name)
      files.append((file, try Files.map(file)))
    }
    return files
  }

  /// Unpacks an archive for all processes of a node; nil where `path` is a folder, whose files are
  /// mapped as they are.
  package static func stage(
    path: String, split: Split = .train
  ) throws -> StagedFiles? {
    if try Files.kind(path) == .folder { return nil }
    return try StagedFiles(unpacking: path, split.fileNames, atMost: archiveLimit)
  }

  private static func files(
    of staged: StagedFiles, _ path: String, _ split: Split
  ) throws -> [(name: String, bytes: Data)] {
    var files: [(name: String, bytes: Data)] = []
    for name in split.fileNames {
      guard let bytes = staged.file(name) else {
        throw ArchiveError.missingEntry(archive: path, name: name)
      }
      files.append((Files.join(path, name), bytes))
    }
    return files
  }
}
