import Collectives
import Configuration
import Datasets
import TensorCore

extension Trainer {
  /// A trainer that is given the same images again and again: this rank's share of each batch.
  ///
  /// - Parameter pixels: makes their elements, of which there are as many as it is told.
  package static func synthetic(
    _ configuration: Configuration, over communicator: any Communicator = SingleCommunicator(),
    on context: ComputeContext, pixels: (Int) -> [Float] = Trainer.noisePixels
  ) throws -> Trainer {
    let share = configuration.share(rank: communicator.rank, of: communicator.size)
    let batch = share.count
    let task = configuration.task()
    let images = pixels(task.imageShape(batch: batch).count)
    var next = share.lowerBound
    return Trainer(configuration, over: communicator, on: context) {
      defer { next += configuration.train.batch }
      return Batch(
        positions: (next..<next + batch).map { UInt64($0) }, images: images,
        labels: (0..<batch).map { $0 % max(configuration.model.classes, 1) },
        augmentLabels: [Float](repeating: 0, count: batch * task.augmentLabels))
    }
  }

  package static func noisePixels(_ count: Int) -> [Float] {
    let stream = RandomStream(seed: 0, .test, position: 0)
    return (0..<count).map { Float(2 * stream.uniform($0) - 1) }
  }
}
