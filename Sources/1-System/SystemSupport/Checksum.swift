import CChecksum

/// A streaming 128-bit XXH3 checksum (libxxhash, `XXH3_128bits_update`).
///
/// Its text form is what `xxh128sum` prints, so that files can be checked by hand. It protects
/// against damage, not against intent.
///
/// ```swift
/// import SystemSupport
///
/// let digest = Checksum.digest(of: "hello")
/// print(digest.count)  // 32 hexadecimal digits
/// ```
package struct Checksum: ~Copyable {
  private let state: OpaquePointer

  /// The checksum of no bytes yet.
  package init() {
    guard let state = dc_xxh3_create() else { fatalError("Checksum: out of memory") }
    self.state = state
  }

  deinit { dc_xxh3_free(state) }

  /// Adds bytes to the end.
  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    let status = dc_xxh3_update(state, bytes.baseAddress, bytes.count)
    precondition(status == 0, "Checksum: update of \(bytes.count) bytes failed")
  }

  /// The checksum of all bytes so far, as 32 hexadecimal digits.
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

  /// The size in bytes and the digest of a file, which is read in pieces.
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
