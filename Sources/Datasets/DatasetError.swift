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
  /// A tar whose files are to be read in place is compressed, damaged, cut off, or none.
  case brokenTar(path: String, reason: String)
  /// Labels are damaged, are no classes, or contradict each other.
  case brokenLabels(path: String, reason: String)
  /// A picture has no label, and others have.
  case missingLabel(path: String, name: String, expected: String)
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
  /// A .zip or .npz is damaged, cut off, or none.
  case brokenZip(path: String, reason: String)
  /// A .npz holds no array of this name.
  case missingArray(path: String, name: String, found: [String])
  /// A file or entry does not begin as an NPY does.
  case notNumPy(path: String)
  /// An NPY's header breaks the format's rules.
  case brokenNumPyHeader(path: String, reason: String)
  /// An NPY's elements are of a type that is not read, such as Python objects.
  case unsupportedElements(path: String, type: String)
  /// An NPY has fewer or more bytes of elements than its shape asks for.
  case wrongArraySize(path: String, expected: Int, found: Int)
  /// An array does not hold 8-bit RGB images.
  case notImages(path: String, found: String)
  /// A folder that should hold images is empty.
  case emptyFolder(path: String)
  /// A folder or archive holds files, but no image.
  case noImages(path: String)
  /// Images that have to be of one size are not.
  case mixedSizes(
    path: String, first: String, firstSize: ImageSize, second: String, secondSize: ImageSize)
  /// A file is no kind of image collection.
  case unknownCollection(path: String)
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
    case .brokenTar(let path, let reason):
      "cannot read \(path) as a .tar: \(reason); write or download it again"
    case .brokenLabels(let path, let reason):
      "cannot use the labels in \(path): \(reason); expected classes from 0 on, one a picture: mend the file"
    case .missingLabel(let path, let name, let expected):
      "\(path) has no label for \(name), but for others; expected \(expected)"
    case .missingEntry(let archive, let name):
      "\(archive) has no \(name); expected the official CIFAR-10 binary archive"
    case .noClasses(let path):
      "\(path) has no class folders; expected one sub-folder a class with JPEG or PNG files in it"
    case .emptyClass(let path):
      "class folder \(path) has no image; expected .jpg, .jpeg or .png files in it"
        + "; fill or remove it"
    case .unknownImageFormat(let path):
      "\(path) is neither a JPEG nor a PNG by its first bytes; convert or remove it"
    case .brokenImage(let path, let reason):
      "broken image \(path): \(reason); replace or remove it"
    case .imageTooLarge(let path, let width, let height, let limit):
      "image \(path) has \(width) x \(height) pixels, expected at most \(limit) in all; shrink it"
    case .brokenZip(let path, let reason):
      "cannot read \(path) as a .zip or .npz: \(reason); write or download it again"
    case .missingArray(let path, let name, let found):
      "\(path) has no array \(name), found \(DatasetError.list(found)); check that it is the right file"
    case .notNumPy(let path):
      "\(path) is no NPY array by its first bytes; write it with numpy.save or numpy.savez"
    case .brokenNumPyHeader(let path, let reason):
      "damaged NPY header in \(path): \(reason); write the array again"
    case .unsupportedElements(let path, let type):
      "\(path) has elements of type \(type), expected numbers of 1, 2, 4 or 8 bytes"
        + "; convert it with numpy.astype"
    case .wrongArraySize(let path, let expected, let found):
      "truncated or damaged array \(path): found \(found) bytes of elements, expected \(expected)"
        + "; write it again"
    case .notImages(let path, let found):
      "\(path) holds no images: expected uint8 [N, H, W, 3], found \(found)"
        + "; convert it to 0...255, channels last"
    case .emptyFolder(let path):
      "\(path) is an empty folder; expected PNG or JPEG files in it or in its sub-folders"
    case .noImages(let path):
      "\(path) holds no image; expected files that end in .png, .jpg or .jpeg"
    case .mixedSizes(let path, let first, let firstSize, let second, let secondSize):
      "images of several sizes in \(path): \(first) is \(firstSize), \(second) is \(secondSize)"
        + "; bring them to one size, or let evaluate and data stats resize each on its own with --mixed-sizes"
    case .unknownCollection(let path):
      "\(path) is no image collection; expected a folder, .zip, .tar, .npz, .npy, or CIFAR-10 as folder, "
        + ".bin or .tar.gz"
    }
  }

  private static func list(_ names: [String]) -> String {
    let shown = names.prefix(6).joined(separator: ", ")
    return names.isEmpty ? "none" : names.count > 6 ? "\(shown), ..." : shown
  }
}
