import TensorCore

/// Width and height in pixels.
public struct ImageSize: Sendable, Hashable, CustomStringConvertible {
  public let width: Int
  public let height: Int

  public init(width: Int, height: Int) {
    (self.width, self.height) = (width, height)
  }

  public var description: String { "\(width) x \(height)" }
}

extension RGBImage {
  public var size: ImageSize { ImageSize(width: width, height: height) }
}

/// Images to be measured, read by index. They have no labels, and their sizes may differ.
///
/// Reading is safe from several threads at once, and an index always gives the same bytes.
public protocol ImageCollection: Sendable {
  /// Where the images are, for errors and reports.
  var path: String { get }
  /// Images in the collection.
  var count: Int { get }

  /// What errors call image `index`.
  func name(of index: Int) -> String
  /// The size of image `index`, from its header where it has one.
  func size(of index: Int) throws(DatasetError) -> ImageSize
  /// Image `index`, decoded.
  func image(_ index: Int) throws(DatasetError) -> RGBImage
}

extension ImageCollection {
  /// The size that all images have.
  ///
  /// - Parameter range: the images that are looked at, by default all. Ranks that look at their own
  ///   shares alone have to compare what they found.
  /// - Throws: `DatasetError.mixedSizes` with the first image and the first that differs from it.
  public func requireOneSize(_ range: Range<Int>? = nil) throws(DatasetError) -> ImageSize {
    let range = range ?? 0..<count
    invariant(
      !range.isEmpty && range.lowerBound >= 0 && range.upperBound <= count,
      "requireOneSize: images \(range) of \(count)")
    let first = try size(of: range.lowerBound)
    for index in range.dropFirst() {
      let other = try size(of: index)
      guard other == first else {
        throw .mixedSizes(
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
