import Foundation

/// The files of the repository that tests read.
package enum Repository {
  /// Path of the package's folder, without a slash at its end.
  package static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../..").standardized.path

  /// Path of a file or folder of the repository.
  ///
  /// - Parameter name: its path from the package's folder, such as `configs/debug.yaml`.
  package static func path(_ name: String) -> String { "\(root)/\(name)" }

  /// A golden file, or a folder of them.
  ///
  /// - Parameter name: its path from `Tests/Reference`; empty for that folder itself.
  package static func reference(_ name: String = "") -> URL {
    URL(fileURLWithPath: path("Tests/Reference")).appendingPathComponent(name)
  }
}
