import FileFormats
import Foundation

/// Checksums of damaged files, made right again.
enum Seals {
  /// Of the chunks of a PNG, as far as their lengths lead; nothing for other files.
  static func png(_ data: inout Data) {
    guard data.starts(with: [0x89, 0x50, 0x4E, 0x47]) else { return }
    var bytes = [UInt8](data)
    var at = 8
    while at + 12 <= bytes.count {
      let count = bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
      guard count <= bytes.count - at - 12 else { break }
      let checksum = Checksum32.of(bytes[at + 4..<at + 8 + count])
      for index in 0..<4 {
        bytes[at + 8 + count + index] = UInt8(
          truncatingIfNeeded: checksum >> UInt32(24 - 8 * index))
      }
      at += 12 + count
    }
    data = Data(bytes)
  }

  /// Of every block that says it is the header of a member.
  static func tar(_ data: inout Data) {
    var bytes = [UInt8](data)
    for at in stride(from: 0, through: bytes.count - 512, by: 512)
    where bytes[at + 257..<at + 262].elementsEqual("ustar".utf8) {
      for index in 148..<156 { bytes[at + index] = 0x20 }
      let sum = bytes[at..<at + 512].reduce(0) { $0 + Int($1) }
      let text = String(sum, radix: 8)
      let digits = String(repeating: "0", count: 6 - text.count) + text
      bytes.replaceSubrange(at + 148..<at + 156, with: Array((digits + "\0 ").utf8))
    }
    data = Data(bytes)
  }
}
