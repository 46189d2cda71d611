import FileFormats
import Images

/// The images of a labelled set, without their labels.
package struct DatasetImages: ImageCollection {
  /// Where the images are.
  package let path: String
  /// The labelled set.
  package let dataset: any ImageDataset

  /// - Parameter path: what errors and reports call the set.
  package init(_ dataset: any ImageDataset, path: String) {
    (self.dataset, self.path) = (dataset, path)
  }

  /// Number of images.
  package var count: Int { dataset.count }
  /// What is beside the images and is not used.
  package var leftOut: LeftOut { dataset.leftOut }

  /// What errors call image `index`.
  package func name(of index: Int) -> String { "image \(index) of \(path)" }

  /// Width and height of image `index`.
  package func size(of index: Int) throws -> ImageSize {
    checkIndex(index)
    return ImageSize(width: dataset.resolution, height: dataset.resolution)
  }

  /// Image `index`, decoded.
  package func image(_ index: Int) throws -> RGBImage {
    try dataset.image(index).image
  }
}
