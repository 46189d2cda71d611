import Foundation
import Images
import SystemSupport

extension ImageFile {
  /// Whether a file is a PNG of which nothing is missing. A crash of the system, a copy that was cut
  /// off or a full disk can leave less.
  ///
  /// - Parameter size: the size that it has to have; nil: any.
  package static func isWholePNG(_ path: String, size: ImageSize? = nil) -> Bool {
    guard let bytes = try? InputFile.contents(of: path) else { return false }
    return bytes.withUnsafeBytes { isWholePNG($0, size: size) }
  }

  /// Whether these are the bytes of a PNG of which nothing is missing: each chunk has the checksum
  /// that follows it, the first is IHDR, and the last one, IEND, ends where the bytes end.
  ///
  /// Source: PNG specification, third edition, 5.3. Pixels are not unpacked.
  package static func isWholePNG(_ bytes: UnsafeRawBufferPointer, size: ImageSize? = nil) -> Bool {
    func number(_ at: Int) -> Int {
      Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
    }
    // Signature, IHDR and IEND.
    guard bytes.count >= 8 + 25 + 12, bytes.starts(with: EncodedImage.pngSignature),
      bytes[12..<16].elementsEqual("IHDR".utf8)
    else { return false }
    if let size, number(16) != size.width || number(20) != size.height { return false }
    var at = 8
    while at + 12 <= bytes.count {
      let count = number(at)
      guard count <= bytes.count - at - 12 else { return false }
      let content = UnsafeRawBufferPointer(rebasing: bytes[(at + 4)..<(at + 8 + count)])
      guard Checksum32.of(content) == UInt32(number(at + 8 + count)) else { return false }
      at += 12 + count
      if content.starts(with: "IEND".utf8) { return at == bytes.count }
    }
    return false
  }
}
