import CChecksum

/// A streaming 128-bit XXH3 checksum (libxxhash, `XXH3_128bits_update`).
///
/// The digest's text is what `xxh128sum` prints, so that operators can check files by hand. It
/// guards against damage, not against intent.
package struct Checksum: ~Copyable {
  private let state: OpaquePointer

  /// The checksum of no bytes.
  package init() {
    guard let state = dc_xxh3_create() else { fatalError("Checksum: out of memory") }
    self.state = state
  }

  deinit { dc_xxh3_free(state) }

  /// Adds bytes to the end of those that are summed up.
  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    let status = dc_xxh3_update(state, bytes.baseAddress, bytes.count)
    precondition(status == 0, "Checksum: update of \(bytes.count) bytes failed")
  }

  /// 32 hexadecimal digits: the checksum of all bytes so far.
  package var digest: String {
    let digits = Array("0123456789abcdef".utf8)
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16) { bytes in
      guard let base = bytes.baseAddress else { return "" }
      dc_xxh3_digest(state, base)
      return String(
        decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
  }

  /// The 128-bit digest of some bytes.
  package static func digest(of bytes: UnsafeRawBufferPointer) -> String {
    var checksum = Checksum()
    checksum.update(bytes)
    return checksum.digest
  }

  /// The 128-bit digest of a text's UTF-8 bytes.
  package static func digest(of text: String) -> String {
    Array(text.utf8).withUnsafeBytes { digest(of: $0) }
  }

  /// Size and digest of a file, read in pieces.
  package static func ofFile(
    _ path: String
  ) throws(FileError) -> (size: Int, digest: String) {
    let file = try InputFile(path)
    let size = try file.size
    var checksum = Checksum()
    let piece = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(min(size, 1 << 20), 1), alignment: 64)
    defer { piece.deallocate() }
    var position = 0
    while position < size {
      let part = UnsafeMutableRawBufferPointer(
        rebasing: piece[..<min(piece.count, size - position)])
      try file.read(into: part, at: position)
      checksum.update(UnsafeRawBufferPointer(part))
      position += part.count
    }
    return (size, checksum.digest)
  }
}
