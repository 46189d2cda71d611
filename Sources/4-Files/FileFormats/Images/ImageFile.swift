import CImageIO
import Foundation
import SystemSupport
import TensorCore

/// An 8-bit RGB picture: pixels [height, width, 3], row by row.
package struct RGBImage: Sendable, Equatable {
  package let width: Int
  package let height: Int
  package let pixels: [UInt8]

  package init(width: Int, height: Int, pixels: [UInt8]) {
    invariant(
      width > 0 && height > 0 && pixels.count == width * height * 3,
      "RGBImage: \(pixels.count) bytes for \(width) x \(height) pixels")
    (self.width, self.height, self.pixels) = (width, height, pixels)
  }
}

/// JPEG and PNG files, through libjpeg and libpng.
package enum ImageFile {
  /// Most pixels an image may have, 400 MB decoded: a broken header, or a few huge pictures at once, must
  /// not ask for all memory.
  package static let pixelLimit = 1 << 27

  /// Decodes a JPEG (RGB, greyscale, CMYK; baseline or progressive) or a PNG (any colour type and
  /// depth; alpha is dropped), and turns it upright where it says how it was taken. The format is told by
  /// the first bytes, not by the name.
  package static func read(_ path: String) throws -> RGBImage {
    try EncodedImage(path: path).decoded()
  }

  /// Decodes an image that is already in memory; errors call it `name`.
  package static func decode(_ bytes: Data, name: String) throws -> RGBImage {
    try EncodedImage(bytes, path: name).decoded()
  }

  /// A PNG without compression: for images that are read often.
  package static func storedPNG(_ image: RGBImage) throws -> [UInt8] {
    // A filter byte a row, five bytes a block of deflate's, and the frames of zlib's and PNG's chunks.
    let raw = image.height * (image.width * 3 + 1)
    let limit = raw + raw / 100 + 4096
    var (count, failure): (Int, String?) = (0, nil)
    let bytes = [UInt8](unsafeUninitializedCapacity: limit) { to, written in
      failure = CImageFailure.of { message, capacity in
        cimage_png_store(
          image.pixels, Int32(image.width), Int32(image.height), to.baseAddress, limit, &count,
          message, capacity)
      }
      written = count
    }
    if let failure { throw FileError.unwritable(path: "a PNG of \(image.size)", reason: failure) }
    return bytes
  }

  /// Writes a PNG under a temporary name and renames it, so that a reader never sees half a picture.
  package static func writePNG(_ image: RGBImage, to path: String) throws {
    let temporary = "\(path).\(ProcessInfo.processInfo.processIdentifier).tmp"
    let failure = CImageFailure.of { message, capacity in
      cimage_png_write(
        temporary, image.pixels, Int32(image.width), Int32(image.height), message, capacity)
    }
    if let failure { throw FileError.unwritable(path: path, reason: failure) }
    if rename(temporary, path) != 0 {
      let reason = String(cString: strerror(errno))
      unlink(temporary)
      throw FileError.unwritable(path: path, reason: reason)
    }
  }
}
