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
  private static let samples = 4

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
    let kind = ShapeClass.allCases[index % ShapeClass.allCases.count]
    let stream = RandomStream(seed: 0, .shapes, position: UInt64(index))
    let drawing = ShapeDrawing(kind, stream)
    let samples = ShapesDataset.samples
    let step = 2 / Double(resolution * samples)
    for y in 0..<resolution {
      let backdrop = drawing.palette.backdrop(at: (Double(y) + 0.5) / Double(resolution))
      for x in 0..<resolution {
        var inside = 0
        for sample in 0..<samples * samples {
          let sx = (Double(x * samples + sample % samples) + 0.5) * step - 1
          let sy = (Double(y * samples + sample / samples) + 0.5) * step - 1
          if drawing.contains(sx, sy) { inside += 1 }
        }
        let coverage = Double(inside) / Double(samples * samples)
        let color = backdrop + (drawing.palette.ink - backdrop) * coverage
        for channel in 0..<3 {
          pixels[(y * resolution + x) * 3 + channel] = UInt8(color[channel] * 255 + 0.5)
        }
      }
    }
    return kind.rawValue
  }
}
