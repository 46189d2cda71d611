import FileFormats
import TensorCore

/// What a network learns from, one at a place of the run's sequence: an example is drawn of what is stored,
/// such as an image that is augmented, or latents of a Gaussian.
///
/// Reading is safe from several threads at once. An example is a pure function of its index, the seed and the
/// position.
package protocol TrainingDataset: Sendable {
  /// Images in the set.
  var count: Int { get }
  /// Of the values of an example, [H, W, C].
  var shape: [Int] { get }
  /// One name a class; a label is an index into it.
  var classNames: [String] { get }
  /// As `ImageDataset.contentDigest`.
  var contentDigest: String { get }
  /// As `ImageDataset.contentDigest(by:)`.
  func contentDigest(by algorithm: DigestAlgorithm) throws -> String

  /// Example `index` of the set, as it stands at a position of the run's sequence.
  func example(
    _ index: Int, seed: UInt64, position: UInt64
  ) throws -> TrainingSample
}

extension TrainingDataset {
  /// A set that is younger than XXH3 digests has no other.
  package func contentDigest(by algorithm: DigestAlgorithm) -> String { contentDigest }
}

/// One example.
package struct TrainingSample: Equatable, Sendable {
  /// [H, W, C], in about [-1, 1].
  package var values: [Float]
  package var label: Int
  /// Nine numbers, or none without augmentation.
  package var augmentLabels: [Float]

  package init(values: [Float], label: Int, augmentLabels: [Float] = []) {
    (self.values, self.label, self.augmentLabels) = (values, label, augmentLabels)
  }
}

/// Images in [-1, 1], augmented.
package struct ImageExamples: TrainingDataset {
  package let dataset: any ImageDataset
  /// Nil: images as they are.
  package let augmentation: AugmentationPipe?

  package init(_ dataset: any ImageDataset, augmentation: AugmentationPipe? = nil) {
    (self.dataset, self.augmentation) = (dataset, augmentation)
  }

  package var count: Int { dataset.count }
  package var shape: [Int] { [dataset.resolution, dataset.resolution, 3] }
  package var classNames: [String] { dataset.classNames }
  package var contentDigest: String { dataset.contentDigest }
  package func contentDigest(by algorithm: DigestAlgorithm) throws -> String {
    try dataset.contentDigest(by: algorithm)
  }

  package func example(
    _ index: Int, seed: UInt64, position: UInt64
  ) throws -> TrainingSample {
    let (image, label) = try dataset.image(index)
    var example = TrainingSample(values: ImageGrid.signed(image.pixels), label: label)
    if let augmentation {
      let side = dataset.resolution
      example.augmentLabels = augmentation(
        &example.values, height: side, width: side, seed: seed, position: position)
    }
    return example
  }
}
