import TensorCore

/// Levels 0 to 255 and values in [-1, 1], which networks work on.
extension RGBImage {
  /// The image in [-1, 1], [height, width, 3].
  package var normalized: [Float] {
    [Float](unsafeUninitializedCapacity: pixels.count) { values, count in
      pixels.withUnsafeBufferPointer { RGBImage.normalize($0, into: values) }
      count = pixels.count
    }
  }

  /// Brings levels 0 to 255 to [-1, 1], as EDM does: x / 127.5 - 1.
  ///
  /// - Parameter values: as many as there are levels; each is written.
  package static func normalize(
    _ levels: UnsafeBufferPointer<UInt8>, into values: UnsafeMutableBufferPointer<Float>
  ) {
    invariant(
      values.count >= levels.count,
      "RGBImage.normalize: \(levels.count) levels into \(values.count) values")
    for index in levels.indices { values[index] = Float(levels[index]) / 127.5 - 1 }
  }

  /// From [3, height, width], as CIFAR-10's files have it, to [height, width, 3].
  ///
  /// - Parameter pixels: as many as there are in `planes`; each is written.
  package static func interleave(
    planes: UnsafeRawBufferPointer, into pixels: UnsafeMutableBufferPointer<UInt8>
  ) {
    invariant(
      planes.count % 3 == 0 && pixels.count >= planes.count,
      "RGBImage.interleave: \(planes.count) bytes into \(pixels.count)")
    let area = planes.count / 3
    for pixel in 0..<area {
      for channel in 0..<3 { pixels[pixel * 3 + channel] = planes[channel * area + pixel] }
    }
  }

  /// From levels in [3, height, width] to values in [-1, 1] in [height, width, 3].
  ///
  /// - Parameter values: as many as there are in `planes`; each is written.
  package static func normalize(
    planes: UnsafeRawBufferPointer, into values: UnsafeMutableBufferPointer<Float>
  ) {
    invariant(
      planes.count % 3 == 0 && values.count >= planes.count,
      "RGBImage.normalize: planes of \(planes.count) bytes into \(values.count) values")
    let area = planes.count / 3
    for pixel in 0..<area {
      for channel in 0..<3 {
        values[pixel * 3 + channel] = Float(planes[channel * area + pixel]) / 127.5 - 1
      }
    }
  }

  /// Brings values in [-1, 1] to levels 0 to 255, as EDM does: 127.5 x + 128, clamped and
  /// truncated. NaN becomes 0, so that the grid of a network that diverged still is an image.
  package static func levels(_ values: [Float]) -> [UInt8] {
    values.map { value in
      value.isNaN ? 0 : UInt8(min(max(value * 127.5 + 128, 0), 255))
    }
  }

  /// Far beyond the values of any image, whose levels are in [-1, 1]: what an untrained network makes
  /// at the largest noise levels stays below.
  package static let largestValue: Float = 1e6

  /// The images of a tensor [B, H, W, 3] in [-1, 1], by `levels`.
  ///
  /// - Parameter notFinite: told the index of each image with values that are not finite, or beyond
  ///   `largestValue`: both come of a network that has diverged, and give black and white.
  package static func images(
    _ values: Tensor, notFinite: (Int) throws -> Void
  ) rethrows -> [RGBImage] {
    let shape = values.shape
    invariant(shape.rank == 4 && shape[3] == 3, "RGBImage.images: \(shape), expected [B, H, W, 3]")
    let (floats, size) = (values.floats, shape[1] * shape[2] * 3)
    let pixels = levels(floats)
    return try (0..<shape[0]).map { index in
      let range = index * size..<(index + 1) * size
      if !floats[range].allSatisfy({ $0.magnitude <= largestValue }) { try notFinite(index) }
      return RGBImage(width: shape[2], height: shape[1], pixels: Array(pixels[range]))
    }
  }
}
