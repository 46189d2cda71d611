import FileFormats

/// The images of a labelled set, without their labels.
package struct DatasetImages: ImageCollection {
  package let path: String
  /// The labelled set.
  package let dataset: any ImageDataset

  /// - Parameter path: what errors and reports call the set.
  package init(_ dataset: any ImageDataset, path: String) {
    (self.dataset, self.path) = (dataset, path)
  }

  package var count: Int { dataset.count }

  package func name(of index: Int) -> String { "image \(index) of \(path)" }

  package func size(of index: Int) throws -> ImageSize {
    checkIndex(index)
    return ImageSize(width: dataset.resolution, height: dataset.resolution)
  }

  package func image(_ index: Int) throws -> RGBImage {
    try dataset.image(index).image
  }
}
