import Collectives
import Datasets
import DiffiTModels
import FileFormats
import Foundation
import Images
import Metrics
import TensorCore

/// Images that an autoencoder reconstructs, through the means of their latents.
package struct Reconstructions {
  /// The autoencoder with its weights.
  package let vae: VAE
  /// The images, all of one size.
  package let dataset: any ImageDataset
  /// Images reconstructed at once; bounds the memory.
  package let batch: Int
  /// Threads, memory and kernels that are used.
  package let context: ComputeContext
  /// The weights and where they are from, for errors.
  private let origin: String

  /// Joins an autoencoder and images.
  package init(
    vae: VAE, dataset: any ImageDataset, batch: Int, origin: String = "the present weights",
    context: ComputeContext
  ) {
    (self.vae, self.origin) = (vae, origin)
    self.dataset = dataset
    self.batch = batch
    self.context = context
  }

  /// An image that is reconstructed exactly counts as one that is off by a quarter of a grey level
  /// in one element of a thousand: its PSNR stays finite.
  private static let leastError = 6.25e-5

  /// Peak signal-to-noise ratio in decibels: the mean over the first `count` images of
  /// 10 log10(255^2 / mean squared error) of 8-bit pixels. Collective.
  package func psnr(
    of count: Int, over communicator: any Communicator,
    progress: (_ done: Int, _ total: Int) -> Void
  ) throws -> Double {
    let decibels = try communicator.agree {
      var decibels: [Double] = []
      try forEachBatch(communicator.share(of: count), progress) { images, made in
        decibels += zip(images, made).map(Self.psnr)
      }
      return decibels
    }
    return try communicator.gather(values: decibels).reduce(0, +) / Double(count)
  }

  /// Reconstructs images `range` batch by batch and hands each batch over.
  func forEachBatch(
    _ range: Range<Int>, _ progress: (_ done: Int, _ total: Int) -> Void,
    _ body: (_ images: [RGBImage], _ made: [RGBImage]) throws -> Void
  ) throws {
    try vae.parameters.withPackedWeights {
      for start in stride(from: range.lowerBound, to: range.upperBound, by: batch) {
        let part = start..<min(start + batch, range.upperBound)
        let images = try part.map { try dataset.image($0).image }
        let made = try vae.reconstructions(of: images, on: context) { index in
          throw EvaluationError.reconstructionNotFinite(
            image: part.lowerBound + index, origin: origin)
        }
        try body(images, made)
        progress(part.upperBound - range.lowerBound, range.count)
      }
    }
  }

  /// PSNR of two images of one size.
  private static func psnr(_ a: RGBImage, _ b: RGBImage) -> Double {
    let squares = zip(a.pixels, b.pixels).reduce(0) { sum, pair in
      let difference = Int(pair.0) - Int(pair.1)
      return sum + difference * difference
    }
    let error = max(Double(squares) / Double(a.pixels.count), leastError)
    return 10 * log10(255 * 255 / error)
  }
}
