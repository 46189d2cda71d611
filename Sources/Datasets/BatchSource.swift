/// Images ready for training.
public struct Batch: Sendable {
  /// Each image's place in the run's image sequence.
  public let positions: [UInt64]
  /// [B, H, W, 3] in [-1, 1].
  public let images: [Float]
  /// One class an image.
  public let labels: [Int]
  /// [B, 9], or empty without augmentation.
  public let augmentLabels: [Float]

  public init(positions: [UInt64], images: [Float], labels: [Int], augmentLabels: [Float]) {
    (self.positions, self.images) = (positions, images)
    (self.labels, self.augmentLabels) = (labels, augmentLabels)
  }
}

/// Makes batches: a pure function of the data, the seed and the positions asked for.
public struct BatchSource: Sendable {
  public let dataset: any ImageDataset
  public let seed: UInt64
  public let augmentation: AugmentationPipe?
  private let order: DataOrder

  public init(dataset: any ImageDataset, seed: UInt64, augmentation: AugmentationPipe?) {
    (self.dataset, self.seed, self.augmentation) = (dataset, seed, augmentation)
    order = DataOrder(seed: seed, count: dataset.count)
  }

  public func batch(at positions: Range<UInt64>) throws(DatasetError) -> Batch {
    let side = dataset.resolution
    var pixels = [UInt8](repeating: 0, count: dataset.imageSize)
    var images: [Float] = []
    images.reserveCapacity(positions.count * dataset.imageSize)
    var labels: [Int] = []
    var augmentLabels: [Float] = []
    for position in positions {
      let index = order.index(at: position)
      labels.append(
        try pixels.withUnsafeMutableBufferPointer {
          (buffer) throws(DatasetError) in try dataset.read(index, into: buffer)
        })
      var image = ImageGrid.signed(pixels)
      if let augmentation {
        augmentLabels += augmentation(
          &image, height: side, width: side, seed: seed, position: position)
      }
      images += image
    }
    return Batch(
      positions: Array(positions), images: images, labels: labels, augmentLabels: augmentLabels)
  }
}
