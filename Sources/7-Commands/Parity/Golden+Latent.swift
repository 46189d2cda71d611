import Autodiff
import DiffiTModels
import Foundation
import TensorCore

/// The oracle's latent network, and the mean of its result under random weights as the loss.
struct LatentGolden {
  let settings: LatentDiffiT.Settings
  private let file: GoldenFile
  private let batch: Int

  private struct Config: Decodable {
    let batch: Int
    let side: Int
    let channels: Int
    let patch: Int
    let width: Int
    let depth: Int
    let heads: Int
    let classes: Int

    enum CodingKeys: String, CodingKey {
      case batch, patch, depth, heads, classes
      case side = "latent_side"
      case channels = "latent_channels"
      case width = "dim"
    }
  }

  init(_ file: GoldenFile, config: Data) throws {
    let config = try file.decode(Config.self, config, of: "latent")
    guard config.batch > 0 else { throw file.refuse("a batch of \(config.batch)") }
    var settings = LatentDiffiT.Settings()
    settings.resolution = config.side
    settings.latentChannels = config.channels
    settings.patch = config.patch
    settings.width = config.width
    settings.depth = config.depth
    settings.heads = config.heads
    settings.classes = config.classes
    (self.settings, self.file, batch) = (settings, file, config.batch)
  }

  /// Compares the outputs, and leaves the gradients in the network's parameters.
  func run(_ network: any DenoisingNetwork, on context: ComputeContext) throws -> [String: Double] {
    let latents = try file.images(
      "input.latents", settings.imageShape(batch: batch), on: context)
    let times = try file.checked(
      file.file.integers("input.timesteps"), "input.timesteps", count: batch)
    let labels = try file.labels(batch: batch, classes: settings.classes)
    let tape = Tape()
    let prediction = network(
      tape.constant(latents), time: times.map { Double($0) }, labels: labels, augment: nil)
    let expected = try file.images("output.prediction", prediction.shape, on: context)
    let weight = try file.images("input.weight", prediction.shape, on: context).floats
    let values = prediction.value.floats
    let loss = zip(values, weight).reduce(0) { $0 + Double($1.0 * $1.1) } / Double(values.count)
    let seed = Tensor(weight.map { $0 / Float(values.count) }, prediction.shape, on: context)
    tape.backward(from: prediction, seed: seed)
    // The terms of this loss cancel: it is judged by their size.
    let size = zip(values, weight).reduce(0) { $0 + abs(Double($1.0 * $1.1)) }
    let difference = abs(loss - Double(try file.loss()[0])) * Double(values.count)
    return [
      "prediction": ParityCheck.relativeError(values, expected.floats),
      "loss": size > 0 ? difference / size : difference,
    ]
  }
}
