import Foundation
import SystemSupport

/// The arrays of an `.npz`, a .zip with one `.npy` per array, stored (`numpy.savez`) or deflated
/// (`numpy.savez_compressed`).
package struct NPZFile: Sendable {
  /// The archive's path, as it was given.
  package let path: String
  /// The archive's list of entries.
  package let directory: ZipDirectory
  private let entries: [String: ZipDirectory.Entry]

  /// Reads the list of arrays.
  /// - Throws: `ArchiveError.brokenZip` and those of the file system.
  package init(_ path: String) throws {
    self.path = path
    directory = try ZipDirectory(path: path)
    entries = Dictionary(
      directory.entries.filter { $0.name.hasSuffix(".npy") }.map { ($0.name, $0) },
      uniquingKeysWith: { $1 })
  }

  /// In the file's order, without the `.npy` of their entries.
  package var names: [String] {
    directory.entries.filter { entries[$0.name] != nil }.map { String($0.name.dropLast(4)) }
  }

  /// Whether there is an array of this name.
  package func contains(_ name: String) -> Bool { entries[name + ".npy"] != nil }

  /// The most bytes that a deflated array may unpack to: what 50,000 rows of 2,048 features in f64
  /// have, and as much again for the header and more rows. A stored array may be larger.
  private static let unpackedLimit = 1 << 30

  /// An array whole, its checksum verified.
  /// - Throws: `ArchiveError.missingArray`, and what an NPY may be wrong in.
  package func array(_ name: String) throws -> NumPyArray {
    let entry = try entry(name)
    let limit = entry.method == 0 ? Int.max : Self.unpackedLimit
    return try NumPyArray(
      encoded: directory.content(entry, atMost: limit), path: label(name))
  }

  /// The array where there is one of this name.
  package func arrayIfPresent(_ name: String) throws -> NumPyArray? {
    contains(name) ? try array(name) : nil
  }

  /// The archive's entry of an array.
  package func entry(_ name: String) throws -> ZipDirectory.Entry {
    guard let entry = entries[name + ".npy"] else {
      throw ArchiveError.missingArray(path: path, name: name, found: names)
    }
    return entry
  }

  /// What errors call an array.
  package func label(_ name: String) -> String { Files.join(path, name + ".npy") }
}
