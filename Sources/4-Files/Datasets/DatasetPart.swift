import TensorCore

/// Some consecutive images of a set, as a set.
package struct DatasetPart: ImageDataset {
  private let whole: any ImageDataset
  private let indices: Range<Int>
  /// A fingerprint of images, order and labels.
  package let contentDigest: String

  /// Number of images.
  package var count: Int { indices.count }
  /// Side of every image in pixels.
  package var resolution: Int { whole.resolution }
  /// One name per class; a label is an index into it.
  package var classNames: [String] { whole.classNames }
  /// What is beside the images and is not used.
  package var leftOut: LeftOut { whole.leftOut }

  /// - Parameter indices: at least one image.
  package init(of whole: any ImageDataset, _ indices: Range<Int>) {
    invariant(
      !indices.isEmpty && indices.lowerBound >= 0 && indices.upperBound <= whole.count,
      "DatasetPart: images \(indices) of \(whole.count)")
    (self.whole, self.indices) = (whole, indices)
    contentDigest = Self.digest(whole.contentDigest, indices, .xxh3)
  }

  package func contentDigest(by algorithm: DigestAlgorithm) throws -> String {
    Self.digest(try whole.contentDigest(by: algorithm), indices, algorithm)
  }

  private static func digest(
    _ whole: String, _ indices: Range<Int>, _ algorithm: DigestAlgorithm
  ) -> String {
    var digest = ContentDigest(algorithm)
    digest.add(whole)
    digest.add(indices.lowerBound)
    digest.add(indices.upperBound)
    return digest.text
  }

  /// Writes image `index` as 8-bit RGB and returns its label.
  package func read(
    _ index: Int, into pixels: UnsafeMutableBufferPointer<UInt8>
  ) throws -> Int {
    checkRead(index, pixels)
    return try whole.read(indices.lowerBound + index, into: pixels)
  }
}
