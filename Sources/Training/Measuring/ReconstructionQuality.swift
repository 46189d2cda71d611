import Collectives
import Datasets
import DiffiTModels
import Foundation
import TensorCore

/// How well an autoencoder gives images back: the mean over images of 10 log10(255^2 / mean squared error), in
/// decibels, of 8-bit pixels through the means of their latents.
enum ReconstructionQuality {
  /// An image that comes back exactly counts as one off by a quarter of a grey level in one element of a
  /// thousand.
  private static let leastError = 6.25e-5

  /// Measures the autoencoder's present weights on the first `count` images. Collective.
  static func measure(
    _ vae: VAE, on dataset: any ImageDataset, count: Int, batch: Int, engine: Engine,
    over communicator: any Communicator, progress: (_ done: Int) -> Void
  ) throws -> Double {
    let own = communicator.share(of: count)
    let decibels = try communicator.agree {
      try vae.parameters.holdingWeights {
        var decibels: [Double] = []
        for start in stride(from: own.lowerBound, to: own.upperBound, by: batch) {
          let part = start..<min(start + batch, own.upperBound)
          let images = try part.map { try dataset.image($0).image }
          decibels += zip(images, vae.reconstructions(of: images, on: engine)).map(psnr)
          progress(decibels.count)
        }
        return decibels
      }
    }
    return try communicator.gather(values: decibels).reduce(0, +) / Double(count)
  }

  /// Of two images of one size.
  static func psnr(_ a: RGBImage, _ b: RGBImage) -> Double {
    let squares = zip(a.pixels, b.pixels).reduce(0) { sum, pair in
      let difference = Int(pair.0) - Int(pair.1)
      return sum + difference * difference
    }
    let error = max(Double(squares) / Double(a.pixels.count), leastError)
    return 10 * log10(255 * 255 / error)
  }
}
