import TensorCore

/// Some consecutive images of a set, as a set.
public struct DatasetPart: ImageDataset {
  private let whole: any ImageDataset
  private let indices: Range<Int>
  public let contentDigest: String

  public var count: Int { indices.count }
  public var resolution: Int { whole.resolution }
  public var classNames: [String] { whole.classNames }

  public init(of whole: any ImageDataset, _ indices: Range<Int>) {
    invariant(
      !indices.isEmpty && indices.lowerBound >= 0 && indices.upperBound <= whole.count,
      "DatasetPart: images \(indices) of \(whole.count)")
    (self.whole, self.indices) = (whole, indices)
    var digest = ContentDigest()
    digest.add(whole.contentDigest)
    digest.add(indices.lowerBound)
    digest.add(indices.upperBound)
    contentDigest = digest.text
  }

  public func read(
    _ index: Int, into pixels: UnsafeMutableBufferPointer<UInt8>
  ) throws(DatasetError) -> Int {
    checkRead(index, pixels)
    return try whole.read(indices.lowerBound + index, into: pixels)
  }
}
