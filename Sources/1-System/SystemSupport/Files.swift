import CMappedFiles
import Foundation

/// What readers of data ask of the file system. Paths and names are texts of `FileName`.
package enum Files {
  /// What a path leads to.
  package enum Kind: Sendable {
    /// A file, or something else that is not a folder.
    case file
    /// A folder.
    case folder
  }

  /// A name in a folder.
  package struct Item: Sendable {
    /// The name.
    package let name: String
    /// What it leads to, links followed; nil for a link that leads nowhere, and for what is neither a
    /// regular file nor a folder.
    package let kind: Kind?

    /// Whether it begins with a dot.
    package var isHidden: Bool { name.utf8.first == UInt8(ascii: ".") }
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
    mode(path).map { $0 & S_IFMT == S_IFDIR ? .folder : .file }
  }

  private static func mode(_ path: String) -> mode_t? {
    var status = stat()
    return FileName.withPath(path) { stat($0, &status) } == 0 ? status.st_mode : nil
  }

  /// The bytes of a file as a memory map: pages are read when they are touched, and shared by the
  /// ranks of a host. Where the file is cut short later, a touched page that is gone ends the process
  /// with one line that names the file.
  package static func map(_ path: String) throws(FileError) -> Data {
    // A pipe without a writer would wait for ever.
    let descriptor = FileName.withPath(path) { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard descriptor >= 0 else {
      throw errno == ENOENT ? .notFound(path: path) : unreadable(path, errno)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw unreadable(path, errno) }
    try FileSystem.refuseIrregular(status, path: path)
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .notRegular(path: path, found: "a device")
    }
    let count = Int(status.st_size)
    guard count > 0 else { return Data() }
    guard let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED
    else { throw unreadable(path, errno) }
    let number = cmapped_add(start, count, FileName.visible(path))
    return Data(
      bytesNoCopy: start, count: count,
      deallocator: .custom {
        cmapped_remove(number)
        munmap($0, $1)
      })
  }

  /// What the line begins with that tells of a mapped file that was cut short.
  package static func speak(as prefix: String) { cmapped_speaker(prefix) }

  /// The first bytes of a file, as many as there are; none where it cannot be read.
  package static func start(of path: String, _ count: Int) -> [UInt8] {
    let descriptor = FileName.withPath(path) { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: count)
    let got = bytes.withUnsafeMutableBytes {
      FileSystem.readAll(into: $0, from: descriptor, at: 0).count
    }
    return Array(bytes.prefix(got))
  }

  /// What is in a folder, in the order of the names' bytes on every system; hidden names too.
  package static func items(in folder: String) throws(FileError) -> [Item] {
    guard let directory = FileName.withPath(folder, { opendir($0) }) else {
      throw errno == ENOENT ? .notFound(path: folder) : unreadable(folder, errno)
    }
    defer { closedir(directory) }
    var items: [Item] = []
    errno = 0
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        FileName.text(UnsafeRawBufferPointer(rebasing: bytes.prefix { $0 != 0 }))
      }
      if name != "." && name != ".." {
        items.append(Item(name: name, kind: kind(of: entry.pointee.d_type, name, in: folder)))
      }
      errno = 0
    }
    guard errno == 0 else { throw unreadable(folder, errno) }
    return FileName.sorted(items, by: \.name)
  }

  /// Most file systems tell the kind together with the name; only links need a further call.
  private static func kind(of type: UInt8, _ name: String, in folder: String) -> Kind? {
    switch Int(type) {
    case Int(DT_REG): return .file
    case Int(DT_DIR): return .folder
    case Int(DT_LNK), Int(DT_UNKNOWN):
      switch mode(join(folder, name)).map({ $0 & S_IFMT }) {
      case S_IFREG: return .file
      case S_IFDIR: return .folder
      default: return nil
      }
    default: return nil
    }
  }

  /// The names in a folder that do not begin with a dot, in the order of their bytes on every
  /// system.
  package static func names(in folder: String) throws(FileError) -> [String] {
    try items(in: folder).filter { !$0.isHidden }.map(\.name)
  }

  /// The last part of a path.
  package static func name(_ path: String) -> String {
    path.utf8.split(separator: UInt8(ascii: "/")).last.map { String(Substring($0)) } ?? path
  }

  /// A path inside a folder.
  package static func join(_ folder: String, _ name: String) -> String {
    folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }

  private static func unreadable(_ path: String, _ code: Int32) -> FileError {
    .unreadable(path: path, reason: String(cString: strerror(code)))
  }
}
