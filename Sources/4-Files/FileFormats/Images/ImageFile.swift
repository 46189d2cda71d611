import CImageIO
import Foundation
import Images
import SystemSupport

/// JPEG and PNG files, through libjpeg and libpng.
package enum ImageFile {
  /// The most pixels that an image may have, 400 MB decoded, so that neither a broken header nor a
  /// few huge images take all memory.
  package static let pixelLimit = 1 << 27

  /// The most bytes that an image may unpack to from an archive, four per pixel. Only images of noise
  /// in 16 bits need more.
  package static let byteLimit = 4 * pixelLimit

  /// Decodes a JPEG (RGB, greyscale, CMYK; baseline or progressive) or a PNG (any colour type and
  /// depth; alpha is dropped), and turns it upright where the file says how it was taken. The first
  /// bytes tell the format, not the name.
  package static func read(_ path: String) throws -> RGBImage {
    try EncodedImage(path: path).decoded()
  }

  /// Decodes an image that is already in memory; errors call it `name`.
  package static func decode(_ bytes: Data, name: String) throws -> RGBImage {
    try EncodedImage(bytes, path: name).decoded()
  }

  /// A PNG without compression: for images that are read often.
  package static func storedPNG(_ image: RGBImage) throws -> [UInt8] {
    // One filter byte per row, five bytes per block of deflate, and the frames of zlib and of PNG's
    // chunks.
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

  /// Writes a compressed PNG. A reader never sees half an image; the file is not synced to the
  /// disk, because images are many and can be made again.
  package static func writePNG(_ image: RGBImage, to path: String) throws {
    let limit = cimage_png_limit(Int32(image.width), Int32(image.height))
    var (count, failure): (Int, String?) = (0, nil)
    let bytes = [UInt8](unsafeUninitializedCapacity: limit) { to, written in
      failure = CImageFailure.of { message, capacity in
        cimage_png_encode(
          image.pixels, Int32(image.width), Int32(image.height), to.baseAddress, limit, &count,
          message, capacity)
      }
      written = count
    }
    if let failure { throw FileError.unwritable(path: path, reason: failure) }
    try AtomicFile.write(bytes, to: path, durable: false)
  }
}
