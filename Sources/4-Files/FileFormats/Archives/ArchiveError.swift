/// Why a .tar, .zip, .npz or .npy cannot be read. Each description is one line: what, where, found,
/// expected, how to mend it.
package enum ArchiveError: Error, Equatable, Sendable {
  /// An archive is damaged, or is no .tar or .tar.gz.
  case brokenArchive(path: String, reason: String)
  /// A tar whose files are to be read in place is compressed, damaged, cut off, or none.
  case brokenTar(path: String, reason: String)
  /// An archive is whole but lacks a file.
  case missingEntry(archive: String, name: String)
  /// A .zip or .npz is damaged, cut off, or none.
  case brokenZip(path: String, reason: String)
  /// The bytes of a stored array are not those that its checksum was made of.
  case wrongChecksum(path: String, name: String)
  /// An archive holds more than the data set that it should be can have.
  case tooLarge(path: String, found: String, limit: Int)
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
}

extension ArchiveError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .brokenArchive(let path, let reason):
      "cannot read \(path) as a .tar or .tar.gz: \(reason); download it again"
    case .brokenTar(let path, let reason):
      "cannot read \(path) as a .tar: \(reason); write or download it again"
    case .missingEntry(let archive, let name):
      "\(archive) has no \(name); expected the official CIFAR-10 binary archive"
    case .brokenZip(let path, let reason):
      "cannot read \(path) as a .zip or .npz: \(reason); write or download it again"
    case .wrongChecksum(let path, let name):
      "\(path): the checksum of \(name) is wrong, so some of its bytes have changed; write or download"
        + " it again"
    case .tooLarge(let path, let found, let limit):
      "\(path): found \(found), expected at most \(limit) bytes in all; unpack it and name the folder,"
        + " or check that it is the right file"
    case .missingArray(let path, let name, let found):
      "\(path) has no array \(name), found \(Self.list(found)); check that it is the right file"
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
    }
  }

  private static func list(_ names: [String]) -> String {
    let shown = names.prefix(6).joined(separator: ", ")
    return names.isEmpty ? "none" : names.count > 6 ? "\(shown), ..." : shown
  }

  /// What is wrong with one entry of a .zip that others need not suffer from; nil for all else.
  package var brokenEntry: String? {
    if case .brokenZip(_, let reason) = self { reason } else { nil }
  }
}
