/// The images of a labelled set, without their labels.
public struct DatasetImages: ImageCollection {
  public let path: String
  let dataset: any ImageDataset

  /// - Parameter path: what errors and reports call the set.
  public init(_ dataset: any ImageDataset, path: String) {
    (self.dataset, self.path) = (dataset, path)
  }

  public var count: Int { dataset.count }

  public func name(of index: Int) -> String { "image \(index) of \(path)" }

  public func size(of index: Int) throws(DatasetError) -> ImageSize {
    checkIndex(index)
    return ImageSize(width: dataset.resolution, height: dataset.resolution)
  }

  public func image(_ index: Int) throws(DatasetError) -> RGBImage {
    try dataset.image(index).image
  }
}
