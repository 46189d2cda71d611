import Collectives
import Datasets
import DiffiTModels
import Diffusion
import ModelLoading
import TensorCore

/// The denoising loss of a network on images that it was not trained on, without dropout,
/// augmentation and dropped labels: the mean of the formulation's loss over its training
/// distribution of noise, such as eq. (8) of arXiv:2206.00364.
///
/// Image i always gets the same noise: that of position 2^63 + i of a run with seed 0, which no run
/// reaches. So different networks, and one run at different times, are compared with the same
/// noise, and the loss has the same bits on any number of ranks and with any batch.
package struct HeldOutLoss: Codable, Equatable, Sendable {
  /// Number of images, over all ranks.
  package let images: Int
  /// Mean loss over all images.
  package let mean: Double
  /// Mean loss by noise level, the lowest level first.
  package let byNoiseLevel: [NoiseLevelLoss]

  /// The names in reports.
  package enum CodingKeys: String, CodingKey {
    case images, mean
    case byNoiseLevel = "by_noise_level"
  }

  private static let firstPosition: UInt64 = 1 << 63

  /// Sums up the losses of all images.
  ///
  /// - Parameters:
  ///   - losses: one per image, in the order of the data set.
  ///   - sigmas: the noise level of each.
  package init(_ losses: [Double], sigmas: [Double]) {
    var levels = LossAccumulator(shards: 1, columns: .noiseLevels)
    levels.note(losses, sigma: sigmas, shard: 0)
    images = losses.count
    mean = levels.latest
    byNoiseLevel = LossTotals(.noiseLevels, levels.shards[0]).byNoiseLevel
  }

  /// Measures the network's present weights on the first `count` images. Collective.
  ///
  /// - Parameter progress: told of this rank's images after each batch.
  package static func measure(
    _ model: DenoisingModel, on examples: any TrainingDataset, count: Int, batch: Int,
    context: ComputeContext, over communicator: any Communicator,
    progress: (_ done: Int, _ total: Int) -> Void
  ) throws -> HeldOutLoss {
    let own = communicator.share(of: count)
    let draws = (0..<count).map {
      model.formulation.draw(seed: 0, position: firstPosition + UInt64($0))
    }
    let losses = try communicator.agree {
      try model.parameters.withPackedWeights {
        var losses: [Double] = []
        for start in stride(from: own.lowerBound, to: own.upperBound, by: batch) {
          let part = start..<min(start + batch, own.upperBound)
          losses += try Self.losses(
            model, of: examples, part, draws: Array(draws[part]), context: context)
          progress(losses.count, own.count)
        }
        return losses
      }
    }
    return HeldOutLoss(try communicator.gather(values: losses), sigmas: draws.map(\.sigma))
  }

  private static func losses(
    _ model: DenoisingModel, of examples: any TrainingDataset, _ part: Range<Int>,
    draws: [NoiseDraw], context: ComputeContext
  ) throws -> [Double] {
    let positions = part.map { firstPosition + UInt64($0) }
    let drawn = try zip(part, positions).map { try examples.sample($0, seed: 0, position: $1) }
    let labels = drawn.map(\.label)
    let images = Tensor(
      drawn.flatMap(\.values), model.imageShape(batch: part.count), on: context)
    let noise = trainingNoise(seed: 0, positions: positions, like: images)
    return model.formulation.loss(images, draws: draws, noise: noise, batch: 1, on: nil) {
      model.network($0, time: $1, labels: model.classes > 0 ? labels : nil, augment: nil)
    }.terms
  }
}
