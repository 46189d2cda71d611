import Collectives
import Datasets
import DiffiTModels
import Diffusion
import TensorCore

/// The denoising loss of a network on images that it was not trained on, without dropout, augmentation
/// and dropped labels: the mean of weight(sigma) mean((D(y + sigma n; sigma) - y)^2), eq. (8) of
/// arXiv:2206.00364 over the training distribution of sigma.
///
/// Image i has one sigma and one noise, those of place 2^63 + i of a run with seed 0, where no run ever
/// comes. So networks and moments of a run are compared on the same draws, and the figure has the same
/// bits on any number of ranks and in any batch.
struct HeldOutLoss: Codable, Equatable, Sendable {
  let images: Int
  let mean: Double
  let byNoiseLevel: [NoiseLevelLoss]

  enum CodingKeys: String, CodingKey {
    case images, mean
    case byNoiseLevel = "by_noise_level"
  }

  private static let firstPosition: UInt64 = 1 << 63

  /// - Parameters:
  ///   - losses: of each image, in the order of the set.
  ///   - sigmas: theirs.
  init(_ losses: [Double], sigmas: [Double]) {
    var levels = StepStatistics(shards: 1)
    levels.note(losses, sigma: sigmas, shard: 0)
    images = losses.count
    mean = levels.latest
    let sums = levels.shards[0]
    byNoiseLevel = StepStatistics.byNoiseLevel(
      sums: Array(sums.prefix(sums.count / 2)), counts: Array(sums.suffix(sums.count / 2)))
  }

  /// Measures the network's present weights on the first `count` images. Collective.
  static func measure(
    _ model: ImageDiffiT, _ edm: EDM, on dataset: any ImageDataset, count: Int, batch: Int,
    engine: Engine, over communicator: any Communicator, progress: (_ done: Int) -> Void
  ) throws -> HeldOutLoss {
    let own = communicator.share(of: count)
    let sigmas = (0..<count).map {
      edm.sigma(seed: 0, position: firstPosition + UInt64($0))
    }
    let losses = try communicator.agree {
      try model.parameters.holdingWeights {
        var losses: [Double] = []
        for start in stride(from: own.lowerBound, to: own.upperBound, by: batch) {
          let part = start..<min(start + batch, own.upperBound)
          losses += try Self.losses(
            model, edm, of: dataset, part, sigmas: Array(sigmas[part]), engine: engine)
          progress(losses.count)
        }
        return losses
      }
    }
    return HeldOutLoss(try communicator.gather(values: losses), sigmas: sigmas)
  }

  private static func losses(
    _ model: ImageDiffiT, _ edm: EDM, of dataset: any ImageDataset, _ part: Range<Int>,
    sigmas: [Double], engine: Engine
  ) throws -> [Double] {
    var (pixels, labels) = ([Float](), [Int]())
    for index in part {
      let (image, label) = try dataset.image(index)
      pixels += image.pixels.map { Float($0) / 127.5 - 1 }
      labels.append(label)
    }
    let images = Tensor(pixels, model.settings.imageShape(batch: part.count), on: engine)
    let positions = part.map { firstPosition + UInt64($0) }
    let noise = edm.noise(seed: 0, positions: positions, like: images)
    return edm.loss(images, sigma: sigmas, noise: noise, batch: 1) { x, cNoise in
      model(x, cNoise: cNoise, labels: model.settings.classes > 0 ? labels : nil)
    }.terms
  }
}
