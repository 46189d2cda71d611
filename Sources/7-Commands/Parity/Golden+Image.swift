import Autodiff
import DiffiTModels
import Diffusion
import Foundation
import TensorCore

/// The oracle's image-space network behind EDM's preconditioning, and EDM's loss.
struct ImageGolden {
  let settings: ImageDiffiT.Settings
  private let file: GoldenFile
  private let batch: Int

  private struct Config: Decodable {
    let batch: Int
    let resolution: Int
    let channels: [Int]
    let blocks: [Int]
    let window: Int
    let headDim: Int
    let timeDim: Int
    let embedDim: Int
    let classes: Int
    let augmentDim: Int

    enum CodingKeys: String, CodingKey {
      case batch, resolution, channels, blocks, window, classes
      case headDim = "head_dim"
      case timeDim = "time_dim"
      case embedDim = "embed_dim"
      case augmentDim = "augment_dim"
    }
  }

  init(_ file: GoldenFile, config: Data) throws {
    let config = try file.decode(Config.self, config, of: "image")
    guard config.batch > 0 else { throw file.refuse("a batch of \(config.batch)") }
    var settings = ImageDiffiT.Settings()
    settings.resolution = config.resolution
    settings.channels = config.channels
    settings.blocks = config.blocks
    settings.window = config.window
    settings.headDim = config.headDim
    settings.timeDim = config.timeDim
    settings.embedDim = config.embedDim
    settings.classes = config.classes
    settings.augmentLabels = config.augmentDim
    (self.settings, self.file, batch) = (settings, file, config.batch)
  }

  /// Compares the outputs, and leaves the gradients in the network's parameters.
  func run(_ network: any DenoisingNetwork, on context: ComputeContext) throws -> [String: Double] {
    let shape = settings.imageShape(batch: batch)
    let images = try file.images("input.images", shape, on: context)
    let noise = try file.images("input.noise", shape, on: context)
    let (sigma, labels, augment) = (try sigma(), try labels(), try augment(on: context))
    let edm = EDM()
    func raw(_ x: Variable, _ cNoise: [Double]) -> Variable {
      network(x, time: cNoise, labels: labels, augment: augment)
    }
    let noisy = scale(Variable(noise), by: sigma.map { Float($0) }, plus: images).value
    let denoised = edm.denoise(noisy, sigma: sigma, network: raw).value
    let tape = Tape()
    let (loss, _) = edm.loss(
      images, sigma: sigma, noise: noise, batch: batch, on: tape, network: raw)
    tape.backward(from: loss)
    let expected = try file.images("output.denoised", shape, on: context)
    return [
      "denoised": ParityCheck.relativeError(denoised.floats, expected.floats),
      "loss": ParityCheck.relativeError(loss.value.floats, try file.loss()),
    ]
  }

  /// Noise levels, [B].
  private func sigma() throws -> [Double] {
    let values = try file.checked(file.file.floats("input.sigma"), "input.sigma", count: batch)
    guard values.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      throw file.refuse("input.sigma is not positive")
    }
    return values.map { Double($0) }
  }

  /// Nil for an unconditional network.
  private func labels() throws -> [Int?]? {
    settings.classes > 0 ? try file.labels(batch: batch, classes: settings.classes) : nil
  }

  private func augment(on context: ComputeContext) throws -> Tensor? {
    let width = settings.augmentLabels
    guard width > 0 else { return nil }
    let values = try file.checked(
      file.file.floats("input.augment"), "input.augment", count: batch * width)
    return Tensor(values, [batch, width], on: context)
  }
}
