/// Images ready for training.
package struct Batch: Sendable {
  /// Each image's place in the run's image sequence.
  package let positions: [UInt64]
  /// [B, H, W, C], in about [-1, 1].
  package let images: [Float]
  /// One class an image.
  package let labels: [Int]
  /// [B, 9], or empty without augmentation.
  package let augmentLabels: [Float]

  package init(positions: [UInt64], images: [Float], labels: [Int], augmentLabels: [Float]) {
    (self.positions, self.images) = (positions, images)
    (self.labels, self.augmentLabels) = (labels, augmentLabels)
  }
}

/// Makes batches: a pure function of the data, the seed and the positions asked for.
package struct BatchSource: Sendable {
  package let examples: any TrainingDataset
  package let seed: UInt64
  private let order: DataOrder

  package init(_ examples: any TrainingDataset, seed: UInt64) {
    (self.examples, self.seed) = (examples, seed)
    order = DataOrder(seed: seed, count: examples.count)
  }

  package func batch(at positions: Range<UInt64>) throws -> Batch {
    var values: [Float] = []
    values.reserveCapacity(positions.count * examples.shape.reduce(1, *))
    var labels: [Int] = []
    var augmentLabels: [Float] = []
    for position in positions {
      let example = try examples.example(
        order.index(at: position), seed: seed, position: position)
      values += example.values
      labels.append(example.label)
      augmentLabels += example.augmentLabels
    }
    return Batch(
      positions: Array(positions), images: values, labels: labels, augmentLabels: augmentLabels)
  }
}
