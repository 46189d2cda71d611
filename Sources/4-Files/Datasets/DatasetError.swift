import SystemSupport

/// Why a data set cannot be used. Each description is one line that says what is wrong, where, what
/// was found, what was expected and how to repair it.
package enum DatasetError: Error, Equatable, Sendable {
  /// A binary file is empty or ends inside a record.
  case truncated(path: String, size: Int, recordSize: Int)
  /// A record's label is not a class.
  case labelOutOfRange(path: String, record: Int, label: Int, classes: Int)
  /// Labels are damaged, are no classes, or contradict each other.
  case brokenLabels(path: String, reason: String)
  /// An image has no label while others have one.
  case missingLabel(path: String, name: String, expected: String)
  /// A folder that should hold one folder per class holds none.
  case noClasses(path: String)
  /// A class folder holds no image.
  case emptyClass(path: String, found: LeftOut = LeftOut())
  /// A folder holds images both beside and in several sub-folders, which may be classes.
  case strayImages(path: String, count: Int, first: String, folders: Int)
  /// A folder of class folders holds a packed set instead, whose labels would be lost.
  case labelsBelow(path: String)
  /// An array does not hold 8-bit RGB images.
  case notImages(path: String, found: String)
  /// A folder that should hold images is empty.
  case emptyFolder(path: String)
  /// A folder or archive holds files, but no image.
  case noImages(path: String, found: LeftOut = LeftOut())
  /// A file is no kind of image collection.
  case unknownCollection(path: String)
}

extension DatasetError: CustomStringConvertible {
  /// The error as one line.
  package var description: String {
    switch self {
    case .truncated(let path, let size, let recordSize):
      "truncated file \(path): found \(size) bytes, expected a positive multiple of \(recordSize)"
        + "; download it again"
    case .labelOutOfRange(let path, let record, let label, let classes):
      "label out of range in \(path): record \(record) has label \(label), expected 0 to "
        + "\(classes - 1); download the file again"
    case .brokenLabels(let path, let reason):
      "cannot use the labels in \(path): \(reason); expected classes from 0 on, one per image:"
        + " repair the file"
    case .missingLabel(let path, let name, let expected):
      "\(path) has no label for \(name), but for others; expected \(expected)"
    case .noClasses(let path):
      "\(path) has no class folders; expected one sub-folder per class with JPEG or PNG"
        + " files in it"
    case .emptyClass(let path, let found):
      "class folder \(path) has no image\(Self.list(found)); expected JPEG or PNG files in it"
        + "; fill or remove it"
    case .strayImages(let path, let count, let first, let folders):
      "\(path): found \(Format.quantity(count, "image")), such as \(first), beside \(folders) folders"
        + " of images, and no class for them; move them into a class folder, or all into one"
    case .labelsBelow(let path):
      "\(path): found labels of a packed set in a class folder; name the folder that holds them, or"
        + " remove them"
    case .notImages(let path, let found):
      "\(path) holds no images: expected uint8 [N, H, W, 3], found \(found)"
        + "; convert it to 0...255, channels last"
    case .emptyFolder(let path):
      "\(path) is an empty folder; expected PNG or JPEG files in it or in its sub-folders"
    case .noImages(let path, let found):
      "\(path) holds no image\(Self.list(found)); expected JPEG or PNG files, such as .png, .jpg,"
        + " .jpeg or .jfif"
    case .unknownCollection(let path):
      "\(path) is no image collection; expected a folder, .zip, .tar, .npz, .npy,"
        + " or CIFAR-10 as folder, .bin or .tar.gz"
    }
  }

  private static func list(_ found: LeftOut) -> String {
    found.isEmpty ? "" : ", found \(found.text)"
  }
}
