import CImageIO
import Foundation
import TensorCore

/// An 8-bit RGB picture: pixels [height, width, 3], row by row.
public struct RGBImage: Sendable, Equatable {
  public let width: Int
  public let height: Int
  public let pixels: [UInt8]

  public init(width: Int, height: Int, pixels: [UInt8]) {
    invariant(
      width > 0 && height > 0 && pixels.count == width * height * 3,
      "RGBImage: \(pixels.count) bytes for \(width) x \(height) pixels")
    (self.width, self.height, self.pixels) = (width, height, pixels)
  }
}

/// JPEG and PNG files, through libturbojpeg and libpng.
public enum ImageFile {
  /// Most pixels an image may have: a broken header must not ask for all memory.
  public static let pixelLimit = 1 << 28

  /// Decodes a JPEG (RGB, greyscale, CMYK; baseline or progressive) or a PNG (any colour type and
  /// depth; alpha is dropped). The format is told by the first bytes, not by the name.
  public static func read(_ path: String) throws(DatasetError) -> RGBImage {
    try EncodedImage(path: path).decoded()
  }

  /// Decodes an image that is already in memory; errors call it `name`.
  public static func decode(_ bytes: Data, name: String) throws(DatasetError) -> RGBImage {
    try EncodedImage(bytes, path: name).decoded()
  }

  /// Writes a PNG under a temporary name and renames it, so that a reader never sees half a picture.
  public static func writePNG(_ image: RGBImage, to path: String) throws(DatasetError) {
    let temporary = "\(path).\(ProcessInfo.processInfo.processIdentifier).tmp"
    let failure = CImageFailure.of { message, capacity in
      cimage_png_write(
        temporary, image.pixels, Int32(image.width), Int32(image.height), message, capacity)
    }
    if let failure { throw .unwritable(path: path, reason: failure) }
    if rename(temporary, path) != 0 {
      let reason = String(cString: strerror(errno))
      unlink(temporary)
      throw .unwritable(path: path, reason: reason)
    }
  }
}

/// A mapped image file whose format is known.
struct EncodedImage {
  enum Format { case jpeg, png }

  let path: String
  let bytes: Data
  let format: Format

  init(path: String) throws(DatasetError) {
    try self.init(Files.map(path), path: path)
  }

  init(_ bytes: Data, path: String) throws(DatasetError) {
    if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
      format = .jpeg
    } else if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      format = .png
    } else {
      throw .unknownImageFormat(path: path)
    }
    (self.path, self.bytes) = (path, bytes)
  }

  /// Width and height from the header alone.
  func size() throws(DatasetError) -> (width: Int, height: Int) {
    var (width, height): (Int32, Int32) = (0, 0)
    let read = format == .jpeg ? cimage_jpeg_size : cimage_png_size
    try check { source, message, capacity in
      read(source, bytes.count, &width, &height, message, capacity)
    }
    guard width > 0 && height > 0 else {
      throw .brokenImage(path: path, reason: "its size is \(width) x \(height)")
    }
    guard Int(width) * Int(height) <= ImageFile.pixelLimit else {
      throw .imageTooLarge(
        path: path, width: Int(width), height: Int(height), limit: ImageFile.pixelLimit)
    }
    return (Int(width), Int(height))
  }

  func decoded() throws(DatasetError) -> RGBImage {
    let (width, height) = try size()
    var pixels = [UInt8](repeating: 0, count: width * height * 3)
    let decode = format == .jpeg ? cimage_jpeg_decode : cimage_png_decode
    try check { source, message, capacity in
      decode(source, bytes.count, &pixels, Int32(width), Int32(height), message, capacity)
    }
    return RGBImage(width: width, height: height, pixels: pixels)
  }

  private func check(
    _ body: (UnsafePointer<UInt8>?, UnsafeMutablePointer<CChar>?, Int) -> Int32
  ) throws(DatasetError) {
    let failure = bytes.withUnsafeBytes { source in
      CImageFailure.of { message, capacity in
        body(source.bindMemory(to: UInt8.self).baseAddress, message, capacity)
      }
    }
    if let failure { throw .brokenImage(path: path, reason: failure) }
  }
}

/// The one place where a status of the C shim becomes a line of text.
private enum CImageFailure {
  static func of(_ body: (UnsafeMutablePointer<CChar>?, Int) -> Int32) -> String? {
    var message = [CChar](repeating: 0, count: 256)
    let status = message.withUnsafeMutableBufferPointer { body($0.baseAddress, $0.count) }
    if status == 0 { return nil }
    let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return String(decoding: text, as: UTF8.self)
  }
}
