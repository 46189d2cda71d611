import Collectives
import Configuration
import Datasets
import TensorCore

/// The same images again and again, at new positions: for timing and for counting memory.
package final class SyntheticBatches: BatchProvider {
  private let images: [Float]
  private let share: Range<Int>
  private let configuration: Configuration
  private let augmentLabels: Int
  private var seen = 0

  /// - Parameters:
  ///   - share: this rank's part of each global batch.
  ///   - task: whose images are made.
  ///   - pixels: makes an array of the given number of elements.
  init(
    _ configuration: Configuration, share: Range<Int>, for task: any TrainingTask,
    pixels: (Int) -> [Float]
  ) {
    (self.configuration, self.share) = (configuration, share)
    images = pixels(task.imageShape(batch: share.count).count)
    augmentLabels = task.augmentLabels
  }

  /// The same images at the next positions.
  package func next() -> Batch {
    defer { seen += configuration.train.batch }
    return Batch(
      positions: share.map { UInt64(seen + $0) }, images: images,
      labels: share.indices.map { ($0 - share.lowerBound) % max(configuration.model.classes, 1) },
      augmentLabels: [Float](repeating: 0, count: share.count * augmentLabels))
  }
}

extension Trainer {
  /// A trainer that is given the same images again and again: this rank's share of each batch.
  ///
  /// - Parameter pixels: makes an array of the given number of elements.
  package static func synthetic(
    _ configuration: Configuration, over communicator: any Communicator = SingleCommunicator(),
    on context: ComputeContext, pixels: (Int) -> [Float] = Trainer.noisePixels
  ) -> Trainer {
    let batches = SyntheticBatches(
      configuration, share: configuration.share(rank: communicator.rank, of: communicator.size),
      for: configuration.task(), pixels: pixels)
    return Trainer(configuration, over: communicator, on: context, loader: batches)
  }

  /// Elements in [-1, 1), always the same.
  package static func noisePixels(_ count: Int) -> [Float] {
    let stream = RandomStream(seed: 0, .test, position: 0)
    return (0..<count).map { Float(2 * stream.uniform($0) - 1) }
  }
}
