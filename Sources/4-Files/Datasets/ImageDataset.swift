import FileFormats
import Images
import TensorCore

/// Labelled square RGB images, read by index.
///
/// Reading is safe from several threads at once, and an index always gives the same bytes.
package protocol ImageDataset: Sendable {
  /// Images in the set.
  var count: Int { get }
  /// Side of every image in pixels.
  var resolution: Int { get }
  /// One name per class; a label is an index into it.
  var classNames: [String] { get }
  /// What is beside the images and is not used.
  var leftOut: LeftOut { get }
  /// A fingerprint that changes with the images, their order or their labels, and not with the path
  /// that they are read from: `xxh3:` and 32 hexadecimal digits. A run refuses to resume on data with another
  /// digest.
  var contentDigest: String { get }
  /// The same by the algorithm that made a saved digest.
  func contentDigest(by algorithm: DigestAlgorithm) throws -> String

  /// Writes image `index` as 8-bit RGB.
  ///
  /// - Parameter pixels: [resolution, resolution, 3], row by row; every byte is written.
  /// - Returns: the image's label.
  func read(
    _ index: Int, into pixels: UnsafeMutableBufferPointer<UInt8>
  ) throws -> Int

  /// Writes image `index` in [-1, 1].
  ///
  /// - Parameter values: [resolution, resolution, 3], row by row; every value is written.
  /// - Returns: the image's label.
  func read(
    _ index: Int, normalizedInto values: UnsafeMutableBufferPointer<Float>
  ) throws -> Int
}

extension ImageDataset {
  /// A set that is younger than XXH3 digests has no other.
  package func contentDigest(by algorithm: DigestAlgorithm) -> String { contentDigest }

  /// Most sets are nothing but images.
  package var leftOut: LeftOut { LeftOut() }

  package func read(
    _ index: Int, normalizedInto values: UnsafeMutableBufferPointer<Float>
  ) throws -> Int {
    try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: imageSize) {
      let label = try read(index, into: $0)
      RGBImage.normalize(UnsafeBufferPointer($0), into: values)
      return label
    }
  }

  /// Bytes of one image, resolution * resolution * 3.
  package var imageSize: Int { resolution * resolution * 3 }

  /// Image `index` and its label.
  package func image(_ index: Int) throws -> (image: RGBImage, label: Int) {
    var pixels = [UInt8](repeating: 0, count: imageSize)
    let label = try pixels.withUnsafeMutableBufferPointer {
      (buffer) throws in try read(index, into: buffer)
    }
    return (RGBImage(width: resolution, height: resolution, pixels: pixels), label)
  }

  func checkRead(_ index: Int, _ pixels: UnsafeMutableBufferPointer<UInt8>) {
    invariant(
      index >= 0 && index < count && pixels.count == imageSize,
      "\(Self.self).read: image \(index) of \(count) into \(pixels.count) bytes of \(imageSize)")
  }
}
