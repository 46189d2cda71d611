import DiffiTModels
import FileFormats
import Foundation
import TensorCore

/// A golden file of `make_golden.py`: `param.*`, `input.*`, `output.*`, `grad.*`, and the network's
/// settings as JSON in the metadata's `config`.
package struct Golden {
  /// What the oracle computed besides gradients of the parameters.
  enum Task {
    case image(ImageGolden)
    case latent(LatentGolden)
  }

  /// The file, its header read.
  package let file: SafetensorsFile
  let task: Task
  /// Of the network that it holds.
  package var settings: any NetworkSettings {
    switch task {
    case .image(let golden): golden.settings
    case .latent(let golden): golden.settings
    }
  }

  private struct Kind: Decodable { let kind: String? }

  /// Opens a file and checks what it holds.
  package init(_ path: String) throws {
    file = try SafetensorsFile(URL(fileURLWithPath: path))
    guard let text = file.metadata["config"] else {
      throw ParityError.notAGolden(path: path, reason: "its metadata has no \"config\"")
    }
    let config = Data(text.utf8)
    let kind = try? JSONDecoder().decode(Kind.self, from: config).kind
    switch kind ?? "image" {
    case "image": task = .image(try ImageGolden(GoldenFile(file: file), config: config))
    case "latent": task = .latent(try LatentGolden(GoldenFile(file: file), config: config))
    case let other:
      throw ParityError.notAGolden(
        path: path, reason: "it is of kind \(other), expected image or latent")
    }
    if let problem = settings.problem {
      throw ParityError.notAGolden(path: path, reason: "no network has its settings: \(problem)")
    }
  }
}

/// The tensors of a golden file, checked.
package struct GoldenFile {
  /// The file, its header read.
  package let file: SafetensorsFile

  /// The error that says why the file cannot be compared with.
  package func refuse(_ reason: String) -> ParityError {
    .notAGolden(path: file.path, reason: reason)
  }

  /// The settings in `config`.
  package func decode<Config: Decodable>(_ type: Config.Type, _ config: Data, of kind: String)
    throws
    -> Config
  {
    do {
      return try JSONDecoder().decode(type, from: config)
    } catch {
      throw refuse("its \"config\" lacks settings of a network of kind \(kind)")
    }
  }

  /// A list of `count` entries.
  func checked<T>(_ values: [T], _ name: String, count: Int) throws -> [T] {
    guard values.count == count else {
      throw refuse("\(name) has \(values.count) elements, not \(count)")
    }
    return values
  }

  /// The oracle's loss, one element.
  package func loss() throws -> [Float] {
    try checked(file.floats("output.loss"), "output.loss", count: 1)
  }

  /// A tensor [B, C, H, W] of the file as [B, H, W, C].
  package func images(_ name: String, _ shape: Shape, on context: ComputeContext) throws -> Tensor {
    let values = try checked(file.floats(name), name, count: shape.count)
    let (pixels, channels) = (shape[1] * shape[2], shape[3])
    let tensor = Tensor(shape, on: context)
    tensor.withFloats { to in
      for i in 0..<values.count {
        let (image, pixel, channel) = (i / pixels / channels, i % pixels, i / pixels % channels)
        to[(image * pixels + pixel) * channels + channel] = values[i]
      }
    }
    return tensor
  }

  /// An entry nil where the file has the value `classes`: no label.
  package func labels(batch: Int, classes: Int) throws -> [Int?] {
    let labels = try checked(file.integers("input.labels"), "input.labels", count: batch)
    guard labels.allSatisfy({ (0...classes).contains($0) }) else {
      throw refuse("input.labels leaves 0...\(classes)")
    }
    return labels.map { $0 == classes ? nil : $0 }
  }
}
