import CArchive
import Foundation
import SystemSupport

/// An uncompressed tar whose files are read in place, in any order, in a memory map.
///
/// libarchive tells where they are, jumping from header to header.
package struct TarFile: Sendable {
  /// One regular file in the tar, or a link to one.
  package struct Entry: Sendable {
    /// Its path in the tar.
    package let name: String
    /// Where its bytes begin in the tar, counted from 0.
    package let offset: Int
    /// Its bytes.
    package let size: Int
  }

  /// The tar's path, as it was given.
  package let path: String
  /// Regular files, and hard and symbolic links that lead to one of them, in stored order.
  package let entries: [Entry]
  /// What else is in the tar, by kind; folders are not counted.
  package let passedOver: [String: Int]
  private let map: Data

  /// Whether a file's name ends in `.tar`, in any case of letters.
  package static func isName(_ name: String) -> Bool { name.lowercased().hasSuffix(".tar") }

  /// - Throws: `ArchiveError.brokenTar` where it is compressed, damaged or cut off, or has a name
  ///   twice.
  package init(path: String) throws {
    self.path = path
    map = try Files.map(path)
    let kind = FileKind(map.prefix(FileKind.startSize))
    if kind != .empty { try FileUse.images.check(kind, path: path) }
    if kind == .gzip {
      throw ArchiveError.brokenTar(
        path: path, reason: "it is compressed, and its files cannot be read in place; gunzip it")
    }
    // 512 bytes of zeros end a tar; without them nobody knows what is missing.
    let end = map.suffix(512)
    guard end.count == 512 && end.allSatisfy({ $0 == 0 }) else {
      throw ArchiveError.brokenTar(path: path, reason: "it has no end, so it is cut off or no tar")
    }
    var listing = TarListing(path: path, size: map.count)
    try listing.read()
    (entries, passedOver) = listing.resolved()
  }

  /// Bytes of the file, which stay in the map.
  package func bytes(_ offset: Int, _ size: Int) -> Data {
    map[map.startIndex + offset..<map.startIndex + offset + size]
  }
}

/// The list of a tar's members.
private struct TarListing {
  private enum Member {
    case file(TarFile.Entry)
    /// `target` is a path in the tar.
    case link(name: String, target: ExactName)
  }

  let path: String
  /// Of the tar, in bytes.
  let size: Int
  private var members: [Member] = []
  private var names: Set<ExactName> = []
  private var passedOver: [String: Int] = [:]

  /// A chain of more links than this leads round in a circle.
  private static let linkLimit = 40

  init(path: String, size: Int) { (self.path, self.size) = (path, size) }

  mutating func read() throws {
    var message = [CChar](repeating: 0, count: 256)
    // Small reads: between two headers lies an image that is not wanted yet.
    let opened = FileName.withPath(path) { carchive_open_tar($0, 4096, &message, message.count) }
    guard let archive = opened else {
      let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw broken(String(decoding: text, as: UTF8.self))
    }
    defer { carchive_close(archive) }
    var (name, target): (UnsafePointer<CChar>?, UnsafePointer<CChar>?) = (nil, nil)
    var (count, offset) = (0, 0)
    while true {
      let kind = carchive_next_place(archive, &name, &target, &count, &offset)
      if kind == 0 { return }
      guard kind > 0, let name else { throw broken(String(cString: carchive_message(archive))) }
      try add(Int(kind), Self.text(name), target.map(Self.text), count, offset)
    }
  }

  private mutating func add(
    _ kind: Int, _ name: String, _ target: String?, _ count: Int, _ offset: Int
  ) throws {
    switch kind {
    case Int(carchive_folder): return
    case Int(carchive_other):
      passedOver["sparse or special", default: 0] += 1
      return
    default: break
    }
    guard names.insert(ExactName(name)).inserted else {
      throw broken("it has two entries \(name)")
    }
    if let target, kind != Int(carchive_file) {
      let isHard = kind == Int(carchive_hard_link)
      let folder = isHard ? [] : Self.parts(name).dropLast()
      members.append(.link(name: name, target: Self.join(Array(folder), target)))
      return
    }
    guard count >= 0 && offset >= 0 && offset <= size - 512 - count else {
      throw broken("\(name) is cut off")
    }
    members.append(.file(TarFile.Entry(name: name, offset: offset, size: count)))
  }

  /// The files, and the links to files with the bytes of what they lead to.
  func resolved() -> (entries: [TarFile.Entry], passedOver: [String: Int]) {
    var (files, links) = ([ExactName: TarFile.Entry](), [ExactName: ExactName]())
    for member in members {
      switch member {
      case .file(let file): files[Self.join([], file.name)] = file
      case .link(let name, let target): links[Self.join([], name)] = target
      }
    }
    if links.isEmpty {
      let entries = members.compactMap { if case .file(let file) = $0 { file } else { nil } }
      return (entries, passedOver)
    }
    var (entries, passedOver) = ([TarFile.Entry](), passedOver)
    for member in members {
      switch member {
      case .file(let file): entries.append(file)
      case .link(let name, var target):
        for _ in 0..<Self.linkLimit { target = links[target] ?? target }
        if let file = files[target] {
          entries.append(TarFile.Entry(name: name, offset: file.offset, size: file.size))
        } else {
          passedOver["links that lead to no file in the tar", default: 0] += 1
        }
      }
    }
    return (entries, passedOver)
  }

  private static func text(_ name: UnsafePointer<CChar>) -> String {
    name.withMemoryRebound(to: UInt8.self, capacity: strlen(name)) {
      FileName.text(UnsafeBufferPointer(start: $0, count: strlen(name)))
    }
  }

  private static func parts(_ name: String) -> [String] {
    name.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
  }

  /// A path in the tar without `.` and `..`; one that begins with a slash begins at the tar's root.
  private static func join(_ folder: [String], _ name: String) -> ExactName {
    var result = name.utf8.first == UInt8(ascii: "/") ? [] : folder
    for part in parts(name) where part != "." {
      if part == ".." { _ = result.popLast() } else { result.append(part) }
    }
    return ExactName(result.joined(separator: "/"))
  }

  private func broken(_ reason: String) -> ArchiveError { .brokenTar(path: path, reason: reason) }
}
