import Foundation

/// The arrays of an `.npz`, a .zip with one `.npy` an array, stored (`numpy.savez`) or deflated
/// (`numpy.savez_compressed`).
public struct NPZFile: Sendable {
  public let path: String
  let directory: ZipDirectory
  private let entries: [String: ZipDirectory.Entry]

  /// Reads the list of arrays.
  /// - Throws: `DatasetError.brokenZip` and those of the file system.
  public init(_ path: String) throws(DatasetError) {
    self.path = path
    directory = try ZipDirectory(path: path)
    entries = Dictionary(
      directory.entries.filter { $0.name.hasSuffix(".npy") }.map { ($0.name, $0) },
      uniquingKeysWith: { $1 })
  }

  /// In the file's order, without the `.npy` of their entries.
  public var names: [String] {
    directory.entries.filter { entries[$0.name] != nil }.map { String($0.name.dropLast(4)) }
  }

  public func contains(_ name: String) -> Bool { entries[name + ".npy"] != nil }

  /// An array whole, its checksum verified.
  /// - Throws: `DatasetError.missingArray`, and what an NPY may be wrong in.
  public func array(_ name: String) throws(DatasetError) -> NumPyArray {
    try NumPyArray(encoded: directory.content(entry(name)), path: label(name))
  }

  /// The array where there is one of this name.
  public func arrayIfPresent(_ name: String) throws(DatasetError) -> NumPyArray? {
    contains(name) ? try array(name) : nil
  }

  func entry(_ name: String) throws(DatasetError) -> ZipDirectory.Entry {
    guard let entry = entries[name + ".npy"] else {
      throw .missingArray(path: path, name: name, found: names)
    }
    return entry
  }

  /// What errors call an array.
  func label(_ name: String) -> String { Files.join(path, name + ".npy") }
}
