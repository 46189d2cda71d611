import CImageIO
import Foundation
import Images
import SystemSupport

/// A mapped image file whose format is known.
package struct EncodedImage {
  /// The formats that are known.
  package enum Format { case jpeg, png }

  /// What errors call it.
  package let path: String
  /// The file's bytes.
  package let bytes: Data
  let format: Format

  static let pngSignature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  /// Maps a file.
  ///
  /// - Throws: where it is neither a JPEG nor a PNG by its first bytes.
  package init(path: String) throws {
    try self.init(Files.map(path), path: path)
  }

  /// An image that is in memory already.
  ///
  /// - Parameter path: what errors call it.
  /// - Throws: where it is neither a JPEG nor a PNG by its first bytes.
  package init(_ bytes: Data, path: String) throws {
    guard let format = EncodedImage.format(start: bytes) else {
      throw ImageError.unknownImageFormat(path: path, found: Self.kind(start: bytes.prefix(12)))
    }
    (self.path, self.bytes, self.format) = (path, bytes, format)
  }

  private static func format(start: some Collection<UInt8>) -> Format? {
    if start.starts(with: [0xFF, 0xD8, 0xFF]) { return .jpeg }
    return start.starts(with: pngSignature) ? .png : nil
  }

  /// What else a file may be that has the name of a JPEG or a PNG, as many from the web do.
  private static func kind(start: Data) -> String? {
    if start.isEmpty { return "empty" }
    let kinds = [
      ("GIF8", 0, "a GIF"), ("WEBP", 8, "a WebP"), ("BM", 0, "a BMP"), ("II*\0", 0, "a TIFF"),
      ("MM\0*", 0, "a TIFF"), ("ftypavif", 4, "an AVIF"), ("ftyphei", 4, "a HEIC"),
      ("ftypmif1", 4, "a HEIC"), ("\0\0\0\u{C}jP  ", 0, "a JPEG 2000"), ("<svg", 0, "an SVG"),
    ]
    return kinds.first { start.dropFirst($0.1).starts(with: $0.0.utf8) }?.2
  }

  /// Whether a file that begins with these bytes, at least eight, is a JPEG or a PNG.
  package static func isImage(start: some Collection<UInt8>) -> Bool { format(start: start) != nil }

  /// Width and height of the upright image; only the header is read.
  package func size() throws -> ImageSize {
    let size = try storedSize()
    return ImageOrientation.of(bytes, format).swapsSides
      ? ImageSize(width: size.height, height: size.width) : size
  }

  /// Width and height of the pixels as they are stored.
  private func storedSize() throws -> ImageSize {
    var (width, height): (Int32, Int32) = (0, 0)
    let read = format == .jpeg ? cimage_jpeg_size : cimage_png_size
    try check { source, message, capacity in
      read(source, bytes.count, &width, &height, message, capacity)
    }
    guard width > 0 && height > 0 else {
      throw ImageError.brokenImage(path: path, reason: "its size is \(width) x \(height)")
    }
    guard Int(width) * Int(height) <= ImageFile.pixelLimit else {
      throw ImageError.imageTooLarge(
        path: path, width: Int(width), height: Int(height), limit: ImageFile.pixelLimit)
    }
    return ImageSize(width: Int(width), height: Int(height))
  }

  /// The image, upright.
  package func decoded() throws -> RGBImage {
    let size = try storedSize()
    // No pixel of a PNG takes less than a bit before it is deflated: a header that claims more than
    // the file can hold must not ask for the memory.
    let leastBits = size.width * size.height / InflateStream.highestRatio
    guard format == .jpeg || leastBits / 8 <= bytes.count else {
      throw ImageError.brokenImage(path: path, reason: "it is too short for \(size) pixels")
    }
    var pixels = [UInt8](repeating: 0, count: size.width * size.height * 3)
    let decode = format == .jpeg ? cimage_jpeg_decode : cimage_png_decode
    try check { source, message, capacity in
      decode(source, bytes.count, &pixels, Int32(size.width), Int32(size.height), message, capacity)
    }
    return ImageOrientation.of(bytes, format).upright(
      pixels, width: size.width, height: size.height)
  }

  private func check(
    _ body: (UnsafePointer<UInt8>?, UnsafeMutablePointer<CChar>?, Int) -> Int32
  ) throws {
    let failure = bytes.withUnsafeBytes { source in
      CImageFailure.of { message, capacity in
        body(source.bindMemory(to: UInt8.self).baseAddress, message, capacity)
      }
    }
    if let failure { throw ImageError.brokenImage(path: path, reason: failure) }
  }
}

/// Turns a failure of the C shim into a line of text; nil where there was none.
enum CImageFailure {
  static func of(_ body: (UnsafeMutablePointer<CChar>?, Int) -> Int32) -> String? {
    var message = [CChar](repeating: 0, count: 256)
    let status = message.withUnsafeMutableBufferPointer { body($0.baseAddress, $0.count) }
    if status == 0 { return nil }
    let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return String(decoding: text, as: UTF8.self)
  }
}
