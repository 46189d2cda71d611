import Collectives
import Datasets
import DiffiTModels
import FileFormats
import Foundation
import Metrics
import TensorCore

/// Images as an autoencoder gives them back, through the means of their latents.
package struct Reconstructions {
  package let vae: VAE
  package let dataset: any ImageDataset
  /// Images taken at once.
  package let batch: Int
  package let context: ComputeContext

  package init(vae: VAE, dataset: any ImageDataset, batch: Int, context: ComputeContext) {
    self.vae = vae
    self.dataset = dataset
    self.batch = batch
    self.context = context
  }

  /// An image that comes back exactly counts as one off by a quarter of a grey level in one element of a
  /// thousand.
  private static let leastError = 6.25e-5

  /// The mean over the first `count` images of 10 log10(255^2 / mean squared error), in decibels, of 8-bit
  /// pixels. Collective.
  package func psnr(
    of count: Int, over communicator: any Communicator,
    progress: (_ done: Int, _ total: Int) -> Void
  ) throws -> Double {
    let decibels = try communicator.agree {
      var decibels: [Double] = []
      let own = communicator.share(of: count)
      try forEachBatch(own, progress) { images, made in
        decibels += zip(images, made).map(Self.psnr)
      }
      return decibels
    }
    return try communicator.gather(values: decibels).reduce(0, +) / Double(count)
  }

  /// Takes up what comes back of images `range` as features; this rank's share of them. Collective.
  package func accumulate(
    _ range: Range<Int>, _ pass: FeatureEvaluator, over communicator: any Communicator,
    progress: (_ done: Int, _ total: Int) -> Void
  ) throws -> [MetricAccumulator] {
    try communicator.agree {
      var accumulators = try pass.accumulators()
      let share = communicator.share(of: range.count)
      let own = range.lowerBound + share.lowerBound..<range.lowerBound + share.upperBound
      try forEachBatch(own, progress) { _, made in try pass.add(made, to: &accumulators) }
      return accumulators
    }
  }

  private func forEachBatch(
    _ range: Range<Int>, _ progress: (_ done: Int, _ total: Int) -> Void,
    _ body: (_ images: [RGBImage], _ made: [RGBImage]) throws -> Void
  ) throws {
    try vae.parameters.withPackedWeights {
      for start in stride(from: range.lowerBound, to: range.upperBound, by: batch) {
        let part = start..<min(start + batch, range.upperBound)
        let images = try part.map { try dataset.image($0).image }
        try body(images, vae.reconstructions(of: images, on: context))
        progress(part.upperBound - range.lowerBound, range.count)
      }
    }
  }

  /// Of two images of one size.
  private static func psnr(_ a: RGBImage, _ b: RGBImage) -> Double {
    let squares = zip(a.pixels, b.pixels).reduce(0) { sum, pair in
      let difference = Int(pair.0) - Int(pair.1)
      return sum + difference * difference
    }
    let error = max(Double(squares) / Double(a.pixels.count), leastError)
    return 10 * log10(255 * 255 / error)
  }
}
