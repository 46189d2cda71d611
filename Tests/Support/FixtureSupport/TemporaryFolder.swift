import Foundation

/// A folder for one test's files, removed with its handle.
package final class TemporaryFolder {
  /// The folder, which exists.
  package let url: URL
  /// Its path, without a slash at the end.
  package var path: String { url.path }

  package init() throws {
    url = FileManager.default.temporaryDirectory
      .appendingPathComponent("diffit-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// A file of the folder, which need not exist.
  package func file(_ name: String) -> URL { url.appendingPathComponent(name) }

  /// Writes a file, with the folders above it, and returns its path.
  @discardableResult
  package func write(_ data: Data, _ name: String) throws -> String {
    try FileManager.default.createDirectory(
      at: file(name).deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: file(name))
    return file(name).path
  }

  /// As `write` of data, with text in UTF-8.
  @discardableResult
  package func write(_ text: String, _ name: String) throws -> String {
    try write(Data(text.utf8), name)
  }

  /// Makes a folder inside, with those above it.
  package func makeFolder(_ name: String) throws {
    try FileManager.default.createDirectory(at: file(name), withIntermediateDirectories: true)
  }
}

/// The names in a folder, hidden ones too, sorted.
package func names(in url: URL) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: url.path).sorted()
}
