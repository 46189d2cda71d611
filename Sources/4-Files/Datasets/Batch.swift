/// One rank's samples of a global batch, ready for training.
package struct Batch: Sendable {
  /// Each sample's position in the run's sequence of samples, [B].
  package let positions: [UInt64]
  /// All samples' values, one after the other, [B, H, W, C], in about [-1, 1].
  package let images: [Float]
  /// Each sample's class, [B].
  package let labels: [Int]
  /// [B, 9], or empty without augmentation.
  package let augmentLabels: [Float]

  /// A batch of values that exist already.
  package init(positions: [UInt64], images: [Float], labels: [Int], augmentLabels: [Float]) {
    (self.positions, self.images) = (positions, images)
    (self.labels, self.augmentLabels) = (labels, augmentLabels)
  }
}

/// Gives one rank its part of one global batch after another.
package protocol BatchProvider: AnyObject {
  /// This rank's part of the next global batch; it waits until there is one.
  func next() throws -> Batch
}

/// Makes batches: a pure function of the data, the seed and the positions asked for.
package struct BatchSource: Sendable {
  /// The data set that samples are read from.
  package let dataset: any TrainingDataset
  /// Seed of the order of samples and of what is drawn for each of them.
  package let seed: UInt64
  private let order: DataOrder

  /// Prepares to make batches of a data set.
  package init(_ dataset: any TrainingDataset, seed: UInt64) {
    (self.dataset, self.seed) = (dataset, seed)
    order = DataOrder(seed: seed, count: dataset.count)
  }

  /// The samples at these positions of the run's sequence. Each sample writes its values into its
  /// own place of the batch's one buffer.
  package func batch(at positions: Range<UInt64>) throws -> Batch {
    let size = dataset.sampleSize
    var labels: [Int] = []
    var augmentLabels: [Float] = []
    let images = try [Float](unsafeUninitializedCapacity: positions.count * size) { all, written in
      for position in positions {
        let found = try dataset.read(
          order.index(at: position), seed: seed, position: position,
          into: UnsafeMutableBufferPointer(rebasing: all[written..<written + size]))
        written += size
        labels.append(found.label)
        augmentLabels += found.augment
      }
    }
    return Batch(
      positions: Array(positions), images: images, labels: labels, augmentLabels: augmentLabels)
  }
}
