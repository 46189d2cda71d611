import Foundation

/// What readers of data ask of the file system.
package enum Files {
  /// What a path leads to.
  package enum Kind {
    /// A file, or something else that is not a folder.
    case file
    /// A folder.
    case folder
  }

  /// What a path leads to; links are followed.
  ///
  /// - Throws: `FileError.notFound` if there is nothing.
  package static func kind(_ path: String) throws(FileError) -> Kind {
    guard let kind = kindIfPresent(path) else { throw .notFound(path: path) }
    return kind
  }

  /// What a path leads to; nil if there is nothing. Links are followed.
  package static func kindIfPresent(_ path: String) -> Kind? {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return nil }
    return isFolder.boolValue ? .folder : .file
  }

  /// The bytes of a file as a memory map: pages are read when they are touched, and shared by the
  /// ranks of a host.
  package static func map(_ path: String) throws(FileError) -> Data {
    guard try kind(path) == .file else {
      throw .unreadable(path: path, reason: "it is a folder, expected a file")
    }
    var status = stat()
    if stat(path, &status) == 0 { try FileSystem.refuseIrregular(status, path: path) }
    do {
      return try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
    } catch {
      throw .unreadable(path: path, reason: reason(error))
    }
  }

  /// The names in a folder that do not begin with a dot, in the order of their UTF-8 bytes on every
  /// system.
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

  /// A path inside a folder.
  package static func join(_ folder: String, _ name: String) -> String {
    folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }

  /// The operating system's own words if Foundation wraps them. The path is left out, because the
  /// error names it anyway.
  package static func reason(_ error: any Error) -> String {
    let posix = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
    return posix.map { String(cString: strerror(Int32($0.code))) } ?? error.localizedDescription
  }
}
