import FileFormats
import Images
import TensorCore

/// What a network learns from. What is stored and what is learnt from can differ: a sample may be
/// an image that is augmented, or latents that are drawn from a stored Gaussian.
///
/// Reading is safe from several threads at once. A sample is a pure function of its index, the seed
/// and the position.
package protocol TrainingDataset: Sendable {
  /// Samples in the set.
  var count: Int { get }
  /// Shape of one sample's values, [H, W, C].
  var shape: [Int] { get }
  /// One name per class; a label is an index into it.
  var classNames: [String] { get }
  /// As `ImageDataset.leftOut`.
  var leftOut: LeftOut { get }
  /// A fingerprint of the content, as `ImageDataset.contentDigest`.
  var contentDigest: String { get }
  /// As `ImageDataset.contentDigest(by:)`.
  func contentDigest(by algorithm: DigestAlgorithm) throws -> String

  /// Writes sample `index` of the set as it is at a position of the run's sequence.
  ///
  /// - Parameter values: [H, W, C], in about [-1, 1]; `sampleSize` values, each of which is
  ///   written.
  func read(
    _ index: Int, seed: UInt64, position: UInt64, into values: UnsafeMutableBufferPointer<Float>
  ) throws -> SampleLabels
}

extension TrainingDataset {
  /// A set that is younger than XXH3 digests has no other.
  package func contentDigest(by algorithm: DigestAlgorithm) -> String { contentDigest }
  /// Most sets are nothing but samples.
  package var leftOut: LeftOut { LeftOut() }
}

/// What a network is given of a sample in addition to its values.
package struct SampleLabels: Equatable, Sendable {
  /// The sample's class; 0 where nothing is labelled.
  package var label: Int
  /// The nine augmentation labels, or none without augmentation.
  package var augment: [Float]

  /// - Parameter augment: nine numbers, or none.
  package init(label: Int, augment: [Float] = []) {
    (self.label, self.augment) = (label, augment)
  }
}

/// One sample with its values: for those who look at few samples.
package struct TrainingSample: Equatable, Sendable {
  /// [H, W, C], in about [-1, 1].
  package var values: [Float]
  /// The sample's class; 0 where nothing is labelled.
  package var label: Int
  /// The nine augmentation labels, or none without augmentation.
  package var augmentLabels: [Float]
}

extension TrainingDataset {
  /// Values of one sample, H * W * C.
  package var sampleSize: Int { shape.reduce(1, *) }

  /// Sample `index` of the set as it is at a position of the run's sequence.
  package func sample(_ index: Int, seed: UInt64, position: UInt64) throws -> TrainingSample {
    var values = [Float](repeating: 0, count: sampleSize)
    let found = try values.withUnsafeMutableBufferPointer {
      (buffer) throws in try read(index, seed: seed, position: position, into: buffer)
    }
    return TrainingSample(values: values, label: found.label, augmentLabels: found.augment)
  }
}

/// A set of images as samples: in [-1, 1], augmented.
package struct ImageSamples: TrainingDataset {
  /// The images as they are stored.
  package let dataset: any ImageDataset
  /// Nil: images are not augmented.
  package let augmentation: AugmentationPipe?
  /// Whether half of the images are mirrored before that.
  package let flips: Bool

  /// - Parameters:
  ///   - augmentation: nil: images are not augmented.
  ///   - flips: whether half of the images are mirrored left to right before that.
  package init(
    _ dataset: any ImageDataset, augmentation: AugmentationPipe? = nil, flips: Bool = false
  ) {
    (self.dataset, self.augmentation, self.flips) = (dataset, augmentation, flips)
  }

  /// Number of samples.
  package var count: Int { dataset.count }
  /// Shape of one sample, [H, W, C].
  package var shape: [Int] { [dataset.resolution, dataset.resolution, 3] }
  /// One name per class; a label is an index into it.
  package var classNames: [String] { dataset.classNames }
  /// What is beside the images and is not used.
  package var leftOut: LeftOut { dataset.leftOut }
  /// A fingerprint of images, order and labels.
  package var contentDigest: String { dataset.contentDigest }
  package func contentDigest(by algorithm: DigestAlgorithm) throws -> String {
    try dataset.contentDigest(by: algorithm)
  }

  /// Writes image `index` in [-1, 1], augmented.
  package func read(
    _ index: Int, seed: UInt64, position: UInt64, into values: UnsafeMutableBufferPointer<Float>
  ) throws -> SampleLabels {
    let label = try dataset.read(index, normalizedInto: values)
    let side = dataset.resolution
    if flips, Augmentation.mirrors(seed: seed, position: position) {
      Augmentation.mirrored.apply(to: values, height: side, width: side)
    }
    guard let augmentation else { return SampleLabels(label: label) }
    return SampleLabels(
      label: label,
      augment: augmentation(values, height: side, width: side, seed: seed, position: position))
  }
}
