import Checkpoints
import DiffiTModels
import Foundation
import TensorCore

/// A golden file of `make_golden.py`: `param.*`, `input.*`, `output.*`, `grad.*`, and the network's
/// settings as JSON in the metadata's `config`.
public struct Golden {
  public let file: SafetensorsFile
  public let settings: ImageDiffiT.Settings
  let batch: Int

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

  private struct Kind: Decodable { let kind: String }

  public init(_ path: String) throws {
    file = try SafetensorsFile(URL(fileURLWithPath: path))
    guard let text = file.metadata["config"] else {
      throw TrainingError.notAGolden(path: path, reason: "its metadata has no \"config\"")
    }
    let data = Data(text.utf8)
    if let kind = try? JSONDecoder().decode(Kind.self, from: data).kind, kind != "image" {
      throw TrainingError.notAGolden(
        path: path, reason: "it is of kind \(kind), and only image is built so far")
    }
    let config: Config
    do {
      config = try JSONDecoder().decode(Config.self, from: data)
    } catch {
      throw TrainingError.notAGolden(
        path: path, reason: "its \"config\" lacks settings of an image network")
    }
    var settings = ImageDiffiT.Settings()
    settings.resolution = config.resolution
    settings.channels = config.channels
    settings.blocks = config.blocks
    settings.window = config.window
    settings.headWidth = config.headDim
    settings.timeWidth = config.timeDim
    settings.embeddingWidth = config.embedDim
    settings.classes = config.classes
    settings.augmentLabels = config.augmentDim
    if let problem = config.batch > 0 ? settings.problem : "a batch of \(config.batch)" {
      throw TrainingError.notAGolden(path: path, reason: "no network has its settings: \(problem)")
    }
    self.settings = settings
    batch = config.batch
  }

  /// A list of one entry an image (or `width`).
  private func checked<T>(_ values: [T], _ name: String, width: Int = 1) throws -> [T] {
    guard values.count == batch * width else {
      throw TrainingError.notAGolden(
        path: file.path, reason: "\(name) has \(values.count) elements, not \(batch * width)")
    }
    return values
  }

  /// The oracle's loss, one element.
  func loss() throws -> [Float] {
    let values = try file.floats("output.loss")
    guard values.count == 1 else {
      throw TrainingError.notAGolden(
        path: file.path, reason: "output.loss has \(values.count) elements, not 1")
    }
    return values
  }

  /// Noise levels, [B].
  func sigma() throws -> [Double] {
    let values = try checked(file.floats("input.sigma"), "input.sigma").map { Double($0) }
    guard values.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      throw TrainingError.notAGolden(path: file.path, reason: "input.sigma is not positive")
    }
    return values
  }

  /// A tensor [B, 3, H, W] of the file as [B, H, W, 3].
  func images(_ name: String, on engine: Engine) throws -> Tensor {
    let values = try file.floats(name)
    let shape = settings.imageShape(batch: batch)
    guard values.count == shape.count else {
      throw TrainingError.notAGolden(
        path: file.path, reason: "\(name) has \(values.count) elements, not \(shape.count)")
    }
    let (pixels, channels) = (settings.resolution * settings.resolution, settings.imageChannels)
    let tensor = Tensor(shape, on: engine)
    tensor.withFloats { to in
      for i in 0..<values.count {
        let (image, pixel, channel) = (i / pixels / channels, i % pixels, i / pixels % channels)
        to[(image * pixels + pixel) * channels + channel] = values[i]
      }
    }
    return tensor
  }

  /// Nil for an unconditional network; an entry nil where the file has the value `classes`: no label.
  func labels() throws -> [Int?]? {
    guard settings.classes > 0 else { return nil }
    let labels = try checked(file.integers("input.labels"), "input.labels")
    guard labels.allSatisfy({ (0...settings.classes).contains($0) }) else {
      throw TrainingError.notAGolden(
        path: file.path, reason: "input.labels leaves 0...\(settings.classes)")
    }
    return labels.map { $0 == settings.classes ? nil : $0 }
  }

  func augment(on engine: Engine) throws -> Tensor? {
    guard settings.augmentLabels > 0 else { return nil }
    return Tensor(
      try checked(file.floats("input.augment"), "input.augment", width: settings.augmentLabels),
      [batch, settings.augmentLabels], on: engine)
  }
}
