import Foundation
import SystemSupport

/// Writes a .zip of stored entries, in bounded memory, whose bytes are a function of names and
/// contents.
///
/// Source: APPNOTE 6.3. Not libarchive's writer: to write without going back it leaves size and
/// checksum to a record behind each entry, which makes a stored entry unreadable as a stream, and
/// it adds owner fields and times. Here a local header is complete, all times are 1980-01-01, and
/// ZIP64 records appear where a number needs them.
package final class ZipWriter {
  private struct Entry {
    let name: [UInt8]
    let size: Int
    let offset: Int
    var crc: UInt32
  }

  private let file: AtomicFile
  private let wide: Int
  private var entries: [Entry] = []
  private var names: Set<ExactName> = []
  /// The entry that is being written, and its bytes to come.
  private var open: (checksum: Checksum32, rest: Int)?

  /// - Parameters:
  ///   - path: replaced by `finish()`; nothing of that name is seen before.
  ///   - wideFrom: sizes and offsets from here on go to ZIP64 records; the format's limit, except
  ///     in tests.
  package init(_ path: String, wideFrom: Int = 0xFFFF_FFFF) throws {
    wide = min(wideFrom, 0xFFFF_FFFF)
    file = try AtomicFile(path, durable: true)
  }

  /// Adds a whole entry.
  package func add(_ name: String, _ bytes: some Collection<UInt8>) throws {
    register(name, size: bytes.count)
    try writeHeader(crc: Checksum32.of(bytes))
    try file.append(bytes)
    open = nil
  }

  /// Begins an entry whose bytes come in pieces.
  package func begin(_ name: String, size: Int) throws {
    register(name, size: size)
    try writeHeader(crc: 0)
    if size == 0 { open = nil }
  }

  /// The next bytes of the entry that was begun.
  package func append(_ bytes: some Collection<UInt8>) throws {
    guard !bytes.isEmpty else { return }
    guard var entry = open, bytes.count <= entry.rest else {
      preconditionFailure(
        "ZipWriter.append: \(bytes.count) bytes, the entry lacks \(open?.rest ?? 0)")
    }
    entry.checksum.update(bytes)
    entry.rest -= bytes.count
    try file.append(bytes)
    open = entry.rest == 0 ? nil : entry
    guard entry.rest == 0 else { return }
    let last = entries.count - 1
    entries[last].crc = entry.checksum.value
    try file.patch(ZipRecord.little(Int(entry.checksum.value), 4), at: entries[last].offset + 14)
  }

  /// Writes the list of entries, makes the file durable and gives it its name.
  package func finish() throws {
    precondition(open == nil, "ZipWriter.finish: the last entry lacks \(open?.rest ?? 0) bytes")
    let start = file.size
    for entry in entries { try file.append(listed(entry)) }
    let size = file.size - start
    if entries.count >= 0xFFFF || start >= wide || size >= wide {
      let at = file.size
      try file.append(
        ZipRecord.fields((0x0606_4B50, 4), (44, 8), (0x032D, 2), (45, 2), (0, 4), (0, 4))
          + ZipRecord.fields((entries.count, 8), (entries.count, 8), (size, 8), (start, 8))
          + ZipRecord.fields((0x0706_4B50, 4), (0, 4), (at, 8), (1, 4)))
    }
    let count = min(entries.count, 0xFFFF)
    try file.append(
      ZipRecord.fields((0x0605_4B50, 4), (0, 4), (count, 2), (count, 2))
        + ZipRecord.fields((clipped(size), 4), (clipped(start), 4), (0, 2)))
    try file.commit()
  }

  private func register(_ name: String, size: Int) {
    precondition(open == nil, "ZipWriter: \(name) begins while an entry lacks bytes")
    precondition(
      names.insert(ExactName(name)).inserted && !name.isEmpty && name.utf8.count < 0xFFFF
        && size >= 0,
      "ZipWriter: a second entry \(name), or a bad name or size (\(size))")
    entries.append(Entry(name: FileName.bytes(name), size: size, offset: file.size, crc: 0))
    open = (Checksum32(), size)
  }

  private func writeHeader(crc: UInt32) throws {
    let last = entries.count - 1
    entries[last].crc = crc
    let entry = entries[last]
    let isWide = entry.size >= wide
    let extra =
      isWide ? ZipRecord.fields((1, 2), (16, 2), (entry.size, 8), (entry.size, 8)) : []
    try file.append(
      ZipRecord.fields((0x0403_4B50, 4)) + common(entry, isWide: isWide)
        + ZipRecord.fields((entry.name.count, 2), (extra.count, 2)) + entry.name + extra)
  }

  /// What a local header and the list share: version, flags, method, time, checksum, sizes.
  private func common(_ entry: Entry, isWide: Bool) -> [UInt8] {
    // Bit 11: the name is UTF-8.
    let flags = entry.name.allSatisfy { $0 < 0x80 } ? 0 : 0x800
    return ZipRecord.fields((isWide ? 45 : 20, 2), (flags, 2), (0, 2), (0, 2), (0x0021, 2))
      + ZipRecord.fields((Int(entry.crc), 4), (clipped(entry.size), 4), (clipped(entry.size), 4))
  }

  private func listed(_ entry: Entry) -> [UInt8] {
    var wideFields: [UInt8] = []
    if entry.size >= wide { wideFields += ZipRecord.fields((entry.size, 8), (entry.size, 8)) }
    if entry.offset >= wide { wideFields += ZipRecord.fields((entry.offset, 8)) }
    let extra =
      wideFields.isEmpty ? [] : ZipRecord.fields((1, 2), (wideFields.count, 2)) + wideFields
    // Made by a Unix system, so that the mode (a file, rw-r--r--) counts.
    return ZipRecord.fields((0x0201_4B50, 4), (0x032D, 2))
      + common(entry, isWide: !wideFields.isEmpty)
      + ZipRecord.fields((entry.name.count, 2), (extra.count, 2), (0, 2), (0, 2), (0, 2))
      + ZipRecord.fields((0o100644 << 16, 4), (clipped(entry.offset), 4)) + entry.name + extra
  }

  /// What a field of four bytes holds where the number is in a ZIP64 record.
  private func clipped(_ number: Int) -> Int { number >= wide ? 0xFFFF_FFFF : number }
}

private enum ZipRecord {
  /// Little-endian numbers one after the other, each with its size in bytes.
  static func fields(_ fields: (Int, Int)...) -> [UInt8] {
    fields.flatMap { little($0.0, $0.1) }
  }

  static func little(_ number: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }
}
