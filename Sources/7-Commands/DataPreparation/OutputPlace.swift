import Foundation

/// Where the result of a preparation goes. Nothing is replaced, because it may be hours of work.
enum OutputPlace {
  /// Throws where something has this path already.
  static func requireAbsent(_ path: String) throws(PreparationError) {
    if FileManager.default.fileExists(atPath: path) { throw .outputExists(path: path) }
  }
}
