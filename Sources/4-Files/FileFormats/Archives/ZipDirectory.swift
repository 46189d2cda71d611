import Foundation
import SystemSupport

/// Where the entries of a .zip are.
///
/// Source: APPNOTE 6.3, sections 4.3 to 4.5. The list at the file's end is read here, not by
/// libarchive, which goes from entry to entry: images are asked for in the order of their names, by
/// several threads, and the elements of a stored array are used in place in a memory map.
package struct ZipDirectory: Sendable {
  /// One entry of the archive's list.
  package struct Entry: Sendable {
    /// Its path in the archive.
    package let name: String
    /// 0 stored, 8 deflated.
    package let method: Int
    /// The CRC-32 of its unpacked bytes.
    package let crc: UInt32
    let compressedSize: Int
    /// Its unpacked bytes.
    package let size: Int
    let isEncrypted: Bool
    /// Of its local header.
    package let offset: Int
  }

  /// The archive's path, as it was given.
  package let path: String
  /// The whole file, mapped.
  package let bytes: Data
  /// In the archive's order.
  package let entries: [Entry]

  /// Maps the archive and reads its list of entries.
  package init(path: String) throws {
    self.path = path
    bytes = try Files.map(path)
    try FileUse.zip.check(bytes.prefix(FileKind.startSize), path: path)
    var scan = ZipScan(bytes, path: path)
    let list = try scan.end()
    guard list.count <= list.size / 46 else {
      throw ArchiveError.brokenZip(
        path: path, reason: "its list is too short for \(list.count) entries")
    }
    scan.position = list.offset
    var entries: [Entry] = []
    entries.reserveCapacity(list.count)
    var names: Set<ExactName> = []
    for _ in 0..<list.count {
      let entry = try scan.entry()
      guard names.insert(ExactName(entry.name)).inserted else {
        throw ArchiveError.brokenZip(path: path, reason: "it has two entries \(entry.name)")
      }
      entries.append(entry)
    }
    guard scan.position == list.offset + list.size else {
      throw ArchiveError.brokenZip(
        path: path, reason: "its list of entries does not end where it should")
    }
    self.entries = entries
  }

  /// An entry's bytes as they are in the file.
  package func compressed(_ entry: Entry) throws -> Data {
    var scan = ZipScan(bytes, path: path)
    scan.position = entry.offset
    let data = try scan.local(entry.name)
    let (end, overflow) = data.addingReportingOverflow(entry.compressedSize)
    guard !overflow && end <= bytes.count else {
      throw ArchiveError.brokenZip(path: path, reason: "\(entry.name) is cut off")
    }
    guard !entry.isEncrypted else {
      throw ArchiveError.brokenZip(path: path, reason: "\(entry.name) is encrypted")
    }
    guard entry.method == 0 || entry.method == 8 else {
      throw ArchiveError.brokenZip(
        path: path,
        reason: "\(entry.name) is packed by method \(entry.method), expected stored or deflated")
    }
    guard entry.method == 8 || entry.size == entry.compressedSize else {
      throw ArchiveError.brokenZip(path: path, reason: "\(entry.name) is stored with two sizes")
    }
    // A wrong size must not ask for all memory.
    guard entry.method == 0 || entry.size / InflateStream.highestRatio <= entry.compressedSize
    else {
      throw ArchiveError.brokenZip(path: path, reason: "\(entry.name) has an absurd size")
    }
    return bytes[(bytes.startIndex + data)..<(bytes.startIndex + end)]
  }

  /// The first unpacked bytes of an entry, as many as there are.
  package func start(of entry: Entry, _ count: Int) throws -> Data {
    let packed = try compressed(entry)
    guard entry.method == 8 else { return packed.prefix(count) }
    let stream = try InflateStream(packed, name: entry.name, archive: path)
    return Data(try stream.read(min(count, entry.size)))
  }

  /// An entry whole, checked by its checksum. A stored one stays in the map.
  ///
  /// - Parameter limit: the most bytes that what the entry holds can have; a deflated entry of more
  ///   is refused before it is unpacked, because a small archive can hold very much of the same.
  package func content(_ entry: Entry, atMost limit: Int) throws -> Data {
    var content = try compressed(entry)
    guard entry.size <= limit else {
      throw ArchiveError.brokenZip(
        path: path, reason: "\(entry.name) has \(entry.size) bytes, expected at most \(limit)")
    }
    if entry.method == 8 {
      let stream = try InflateStream(content, name: entry.name, archive: path)
      content = Data(try stream.read(entry.size))
    }
    guard Checksum32.of(content) == entry.crc else {
      throw ArchiveError.brokenZip(path: path, reason: "the checksum of \(entry.name) is wrong")
    }
    return content
  }
}

/// Reads the records of a .zip.
private struct ZipScan {
  private let bytes: Data
  private let path: String
  var position = 0

  init(_ bytes: Data, path: String) {
    (self.bytes, self.path) = (bytes, path)
  }

  /// The list of entries, by the record at the file's end.
  mutating func end() throws -> (count: Int, size: Int, offset: Int) {
    // The record may be followed by a comment, whose length it holds.
    let first = max(bytes.count - 22 - 0xFFFF, 0)
    guard
      let at = stride(from: bytes.count - 22, through: first, by: -1).first(where: {
        number($0, 4) == 0x0605_4B50 && $0 + 22 + (number($0 + 20, 2) ?? 0) == bytes.count
      })
    else { throw broken("it has no list of entries at its end, so it is cut off or no zip") }
    var list = (
      count: number(at + 10, 2) ?? 0, size: number(at + 12, 4) ?? 0, offset: number(at + 16, 4) ?? 0
    )
    var listEnd = at
    if number(at - 20, 4) == 0x0706_4B50, let record = number(at - 12, 8) {
      guard number(record, 4) == 0x0606_4B50, let count = number(record + 32, 8),
        let size = number(record + 40, 8), let offset = number(record + 48, 8)
      else { throw broken("its ZIP64 record is damaged") }
      list = (count, size, offset)
      listEnd = record
    }
    guard list.offset >= 0 && list.size >= 0 && list.offset <= listEnd - list.size else {
      throw broken("its list of entries lies outside the file")
    }
    return list
  }

  /// The list's next entry.
  mutating func entry() throws -> ZipDirectory.Entry {
    let start = position
    guard number(start, 4) == 0x0201_4B50, let nameSize = number(start + 28, 2),
      let extraSize = number(start + 30, 2), let commentSize = number(start + 32, 2),
      let flags = number(start + 8, 2), let method = number(start + 10, 2),
      let crc = number(start + 16, 4), var compressedSize = number(start + 20, 4),
      var size = number(start + 24, 4), var offset = number(start + 42, 4),
      let nameBytes = slice(start + 46, nameSize)
    else { throw broken("its list of entries is damaged") }
    let name = FileName.text(nameBytes)
    position = start + 46 + nameSize
    let extraEnd = position + extraSize
    while position + 4 <= extraEnd, let kind = number(position, 2),
      let count = number(position + 2, 2)
    {
      if kind == 1 {
        // Only what did not fit, in this order.
        var at = position + 4
        func wide(_ value: inout Int) throws {
          guard value == 0xFFFF_FFFF else { return }
          guard at + 8 <= position + 4 + count, let read = number(at, 8) else {
            throw broken("the ZIP64 sizes of \(name) are missing")
          }
          value = read
          at += 8
        }
        try wide(&size)
        try wide(&compressedSize)
        try wide(&offset)
      }
      position += 4 + count
    }
    position = extraEnd + commentSize
    return ZipDirectory.Entry(
      name: name, method: method, crc: UInt32(crc), compressedSize: compressedSize, size: size,
      isEncrypted: flags & 1 != 0, offset: offset)
  }

  /// Where the data of the entry whose local header is here begin.
  func local(_ name: String) throws -> Int {
    guard number(position, 4) == 0x0403_4B50, let nameSize = number(position + 26, 2),
      let extraSize = number(position + 28, 2)
    else { throw broken("there is no entry where \(name) should begin") }
    return position + 30 + nameSize + extraSize
  }

  /// A little-endian number; nil outside the file, or where it does not fit.
  private func number(_ offset: Int, _ count: Int) -> Int? {
    guard let slice = slice(offset, count) else { return nil }
    return Int(exactly: slice.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
  }

  private func slice(_ offset: Int, _ count: Int) -> Data? {
    guard offset >= 0 && offset <= bytes.count - count else { return nil }
    return bytes[(bytes.startIndex + offset)..<(bytes.startIndex + offset + count)]
  }

  private func broken(_ reason: String) -> ArchiveError { .brokenZip(path: path, reason: reason) }
}
