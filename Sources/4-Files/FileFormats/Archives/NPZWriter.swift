import Images

/// Writes an `.npz` as `numpy.savez` does, without compression, in bounded memory: arrays whole, or
/// piece by piece. Its bytes are a function of names and arrays.
package final class NPZWriter {
  private let zip: ZipWriter

  /// - Parameters:
  ///   - path: replaced by `finish()`.
  ///   - wideFrom: see `ZipWriter`.
  package init(_ path: String, wideFrom: Int = 0xFFFF_FFFF) throws {
    zip = try ZipWriter(path, wideFrom: wideFrom)
  }

  /// Writes a whole array.
  package func add(_ name: String, _ array: NumPyArray) throws {
    try begin(name, array.type, shape: array.shape)
    try zip.append(array.bytes)
  }

  /// Begins an array whose elements follow in C order, little-endian.
  package func begin(_ name: String, _ type: NumPyType, shape: [Int]) throws {
    let header = NumPyHeader(type: type, shape: shape)
    let encoded = header.encoded
    try zip.begin(name + ".npy", size: encoded.count + header.byteCount)
    try zip.append(encoded)
  }

  /// The next elements of the array that was begun.
  package func append(_ bytes: some Collection<UInt8>) throws {
    try zip.append(bytes)
  }

  /// Makes the file durable and gives it its name.
  package func finish() throws { try zip.finish() }
}

/// Writes images one after the other as ADM's sample files are: `arr_0` uint8 [N, H, W, 3], and
/// `arr_1` int64 [N] with their classes where the network has classes.
package final class ImageArrayWriter {
  private let npz: NPZWriter
  private let path: String
  private let size: ImageSize
  private let count: Int
  private var written = 0

  /// - Parameters:
  ///   - count: images that will come.
  ///   - size: of each.
  package init(
    _ path: String, count: Int, size: ImageSize, wideFrom: Int = 0xFFFF_FFFF
  ) throws {
    (self.path, self.count, self.size) = (path, count, size)
    npz = try NPZWriter(path, wideFrom: wideFrom)
    try npz.begin("arr_0", .uint8, shape: [count, size.height, size.width, 3])
  }

  /// The next image.
  /// - Parameter name: what an error about its size calls it.
  package func append(_ image: RGBImage, name: String) throws {
    guard image.size == size else {
      throw ImageError.mixedSizes(
        path: path, first: "the first", firstSize: size, second: name, secondSize: image.size)
    }
    precondition(written < count, "ImageArrayWriter: more than \(count) images for \(path)")
    written += 1
    try npz.append(image.pixels)
  }

  /// Ends the file, with one class per image or without classes.
  package func finish(labels: [Int]? = nil) throws {
    precondition(
      written == count && labels?.count ?? count == count,
      "ImageArrayWriter: \(written) images and \(labels?.count ?? 0) labels of \(count) for \(path)"
    )
    if let labels { try npz.add("arr_1", NumPyArray(labels, shape: [count])) }
    try npz.finish()
  }
}
