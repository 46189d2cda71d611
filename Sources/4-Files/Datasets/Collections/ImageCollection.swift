import FileFormats
import Images
import TensorCore

/// Images to be measured, read by index. They have no labels, and their sizes may differ.
///
/// Reading is safe from several threads at once, and an index always gives the same bytes.
package protocol ImageCollection: Sendable {
  /// Where the images are, for errors and reports.
  var path: String { get }
  /// Images in the collection.
  var count: Int { get }
  /// What is beside the images and is not used.
  var leftOut: LeftOut { get }

  /// What errors call image `index`.
  func name(of index: Int) -> String
  /// The size of image `index`, from its header where it has one.
  func size(of index: Int) throws -> ImageSize
  /// Image `index`, decoded.
  func image(_ index: Int) throws -> RGBImage
}

extension ImageCollection {
  /// Most collections are nothing but images.
  package var leftOut: LeftOut { LeftOut() }

  /// The size that all images have.
  ///
  /// - Parameter range: the images that are looked at, by default all. Ranks that look at
  ///   only their own shares have to compare what they found.
  /// - Throws: `ImageError.mixedSizes` with the first image and the first that differs from it.
  package func requireOneSize(_ range: Range<Int>? = nil) throws -> ImageSize {
    let range = range ?? 0..<count
    invariant(
      !range.isEmpty && range.lowerBound >= 0 && range.upperBound <= count,
      "requireOneSize: images \(range) of \(count)")
    let first = try size(of: range.lowerBound)
    for index in range.dropFirst() {
      let other = try size(of: index)
      guard other == first else {
        throw ImageError.mixedSizes(
          path: path, first: name(of: range.lowerBound), firstSize: first,
          second: name(of: index), secondSize: other)
      }
    }
    return first
  }

  func checkIndex(_ index: Int) {
    invariant(
      index >= 0 && index < count, "\(Self.self): image \(index) of \(count) in \(path)")
  }
}
