import Foundation

/// Unsigned numbers in bytes; nil outside them.
struct ByteReader {
  private let bytes: Data

  init(_ bytes: Data) { self.bytes = bytes }

  /// `count` bytes from `offset` on, the most significant first.
  func big(_ offset: Int, _ count: Int) -> Int? {
    slice(offset, count)?.reduce(0) { $0 << 8 | Int($1) }
  }

  /// `count` bytes from `offset` on, the least significant first.
  func little(_ offset: Int, _ count: Int) -> Int? {
    slice(offset, count)?.reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  /// What follows `mark`; nil where the bytes do not begin with it.
  func after(_ mark: Data) -> ByteReader? {
    bytes.starts(with: mark) ? ByteReader(bytes.dropFirst(mark.count)) : nil
  }

  func slice(_ offset: Int, _ count: Int) -> Data? {
    guard offset >= 0 && count >= 0 && offset <= bytes.count - count else { return nil }
    let start = bytes.startIndex + offset
    return bytes[start..<start + count]
  }
}
