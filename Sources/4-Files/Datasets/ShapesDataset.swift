import Images
import TensorCore

/// Ten classes of coloured shapes and textures, drawn on the fly: a labelled set that needs no
/// files.
///
/// Image `i` is a pure function of `i` and the resolution, of class `i % 10`; a larger count has
/// the smaller one's images as its beginning. Edges are antialiased by 4 x 4 samples per pixel.
package struct ShapesDataset: ImageDataset {
  /// Number of images.
  package let count: Int
  /// Side of every image in pixels.
  package let resolution: Int
  /// A fingerprint of images, order and labels.
  package let contentDigest: String
  /// One name per class; a label is an index into it.
  package var classNames: [String] { ShapesDataset.classNames }

  /// The ten classes, in the order of labels.
  package static let classNames = ShapeClass.allCases.map { "\($0)" }

  /// Raised when a drawing changes, so that runs on older drawings have another digest.
  private static let version = 2

  /// - Parameters:
  ///   - resolution: side in pixels.
  ///   - count: images in the set.
  package init(resolution: Int, count: Int = 50_000) {
    invariant(
      resolution > 0 && count > 0, "ShapesDataset: \(count) images of side \(resolution)")
    self.resolution = resolution
    self.count = count
    contentDigest = Self.digest(resolution, count, .xxh3)
  }

  package func contentDigest(by algorithm: DigestAlgorithm) -> String {
    Self.digest(resolution, count, algorithm)
  }

  private static func digest(_ resolution: Int, _ count: Int, _ algorithm: DigestAlgorithm)
    -> String
  {
    var digest = ContentDigest(algorithm)
    for name in ShapesDataset.classNames { digest.add(name) }
    for number in [ShapesDataset.version, resolution, count] { digest.add(number) }
    return digest.text
  }

  /// Writes image `index` as 8-bit RGB and returns its label.
  package func read(
    _ index: Int, into pixels: UnsafeMutableBufferPointer<UInt8>
  ) throws -> Int {
    checkRead(index, pixels)
    return ShapeDrawing.draw(index, side: resolution, into: pixels)
  }
}
