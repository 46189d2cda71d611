/// Why data could not be read, or a picture not written. Each description is one line: what, where,
/// found, expected, how to mend it.
public enum DatasetError: Error, Equatable {
  /// No file or folder has this path.
  case notFound(path: String)
  /// The system refused to read an existing file or folder.
  case unreadable(path: String, reason: String)
  /// The system refused to write a file.
  case unwritable(path: String, reason: String)
  /// A binary file is empty or ends inside a record.
  case truncated(path: String, size: Int, recordSize: Int)
  /// A record's label is not a class.
  case labelOutOfRange(path: String, record: Int, label: Int, classes: Int)
  /// An archive is damaged, or is no .tar or .tar.gz.
  case brokenArchive(path: String, reason: String)
  /// An archive is whole but lacks a file.
  case missingEntry(archive: String, name: String)
  /// A folder that should hold one folder a class holds none.
  case noClasses(path: String)
  /// A class folder holds no image.
  case emptyClass(path: String)
  /// A file's first bytes are neither those of a JPEG nor of a PNG.
  case unknownImageFormat(path: String)
  /// A JPEG or PNG cannot be decoded.
  case brokenImage(path: String, reason: String)
  /// An image is larger than this program is willing to decode.
  case imageTooLarge(path: String, width: Int, height: Int, limit: Int)
}

extension DatasetError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notFound(let path):
      "no such file or folder: \(path); check data.path"
    case .unreadable(let path, let reason):
      "cannot read \(path): \(reason); check its permissions and the file system"
    case .unwritable(let path, let reason):
      "cannot write \(path): \(reason); check that the folder exists, its permissions and free space"
    case .truncated(let path, let size, let recordSize):
      "truncated file \(path): found \(size) bytes, expected a positive multiple of \(recordSize)"
        + "; download it again"
    case .labelOutOfRange(let path, let record, let label, let classes):
      "label out of range in \(path): record \(record) has label \(label), expected 0 to "
        + "\(classes - 1); download the file again"
    case .brokenArchive(let path, let reason):
      "cannot read \(path) as a .tar or .tar.gz: \(reason); download it again"
    case .missingEntry(let archive, let name):
      "\(archive) has no \(name); expected the official CIFAR-10 binary archive"
    case .noClasses(let path):
      "\(path) has no class folders; expected one sub-folder a class with JPEG or PNG files in it"
    case .emptyClass(let path):
      "class folder \(path) has no image; expected .jpg, .jpeg or .png files directly in it"
        + "; fill or remove it"
    case .unknownImageFormat(let path):
      "\(path) is neither a JPEG nor a PNG by its first bytes; convert or remove it"
    case .brokenImage(let path, let reason):
      "broken image \(path): \(reason); replace or remove it"
    case .imageTooLarge(let path, let width, let height, let limit):
      "image \(path) has \(width) x \(height) pixels, expected at most \(limit) in all; shrink it"
    }
  }
}
