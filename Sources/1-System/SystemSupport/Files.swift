import Foundation

/// What the readers ask of the file system, with this target's errors.
package enum Files {
  /// What a path can lead to.
  package enum Kind { case file, folder }

  /// Whether a path leads to a file or a folder; links are followed.
  package static func kind(_ path: String) throws(FileError) -> Kind {
    guard let kind = kindIfPresent(path) else { throw .notFound(path: path) }
    return kind
  }

  /// Nil where there is nothing; links are followed.
  package static func kindIfPresent(_ path: String) -> Kind? {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return nil }
    return isFolder.boolValue ? .folder : .file
  }

  /// A file's bytes as a memory map: pages are read when touched and shared by the ranks of a node.
  package static func map(_ path: String) throws(FileError) -> Data {
    guard try kind(path) == .file else {
      throw .unreadable(path: path, reason: "it is a folder, expected a file")
    }
    do {
      return try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
    } catch {
      throw .unreadable(path: path, reason: reason(error))
    }
  }

  /// The visible names in a folder, sorted by their Unicode scalars on every system.
  package static func names(in folder: String) throws(FileError) -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder)
        .filter { !$0.hasPrefix(".") }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    } catch {
      throw .unreadable(path: folder, reason: reason(error))
    }
  }

  /// The last part of a path.
  package static func name(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  /// The path of a name in a folder, with one slash between them.
  package static func join(_ folder: String, _ name: String) -> String {
    folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }

  /// The system's own words where Foundation wraps them, without the path that the error names
  /// anyway.
  package static func reason(_ error: any Error) -> String {
    let posix = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
    return posix.map { String(cString: strerror(Int32($0.code))) } ?? error.localizedDescription
  }
}
