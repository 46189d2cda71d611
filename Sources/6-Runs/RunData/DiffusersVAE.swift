import Autodiff
import Checkpoints
import DiffiTModels
import FileFormats
import Foundation
import SystemSupport
import TensorCore

/// Autoencoders in the layout of diffusers' `AutoencoderKL`: a folder with `config.json` and
/// `diffusion_pytorch_model.safetensors`, or a variant of it, or several files and their index.
///
/// Two namings of the attention layers are read: today's (`to_q`, `to_k`, `to_v`, `to_out.0`,
/// matrices) and the older one (`query`, `key`, `value`, `proj_attn`, matrices or 1x1
/// convolutions). Today's is written.
package enum DiffusersVAE {
  /// The file of the weights, as it is written.
  package static let weightsName = "diffusion_pytorch_model.safetensors"

  /// Fills the weights of a network from a folder; nothing is changed where something does not fit.
  ///
  /// - Parameter context: where the weights take memory, once the file has turned out to hold them;
  ///   nil: they have it already.
  /// - Throws: `AutoencoderError.weights`, which names every tensor that is missing, not expected
  ///   or of another shape; `AutoencoderError.notFinite`; the errors of a safetensors file.
  package static func read(
    _ folder: URL, into vae: VAE, allocatingOn context: ComputeContext? = nil
  ) throws {
    let parameters = vae.parameters
    let file = try SafetensorsCollection(path: weightsPath(in: folder))
    let names = try match(file, parameters)
    if let context { parameters.allocate(on: context, gradients: false) }
    var values: [(Parameter, [Float])] = []
    for parameter in parameters.parameters {
      let name = names[parameter.name] ?? parameter.name
      let found = try file.floats(name)
      if let index = firstNotFinite(found) {
        throw AutoencoderError.notFinite(
          path: file.path, tensor: name, index: index, found: found[index])
      }
      values.append((parameter, found))
    }
    for (parameter, values) in values {
      let shape = parameter.layout.fileShape(parameter.shape).dimensions
      parameter.value.copy(
        from: Tensor(
          parameter.layout.toMemory(values, shape: shape), parameter.shape,
          on: parameter.value.context))
    }
  }

  /// For each parameter, the name of its tensor in the file.
  private static func match(
    _ file: SafetensorsCollection, _ parameters: ParameterSet
  ) throws -> [String: String] {
    var names: [String: String] = [:]
    var (unexpected, misshaped): ([String], [String]) = ([], [])
    let expected = Set(parameters.parameters.map(\.name))
    // Today's names come first: where a tensor is there under both names, the older one is
    // unexpected.
    for entry in file.entries.sorted(by: { !isOld($0.name) && isOld($1.name) }) {
      let name = today(entry.name)
      if !expected.contains(name) || names[name] != nil {
        unexpected.append(entry.name)
      } else {
        names[name] = entry.name
      }
    }
    for parameter in parameters.parameters {
      guard let name = names[parameter.name], let found = file[name] else { continue }
      let shape = parameter.layout.fileShape(parameter.shape).dimensions
      let pointwise = parameter.layout == .linear ? shape + [1, 1] : shape
      if found.shape != shape && found.shape != pointwise {
        misshaped.append("\(name) \(found.shape) where \(shape) is expected")
      } else if !found.dtype.isFloatingPoint {
        throw SafetensorsError.tensorType(
          path: file.path, tensor: name, found: found.dtype, expected: "F32, F64, F16 or BF16")
      }
    }
    let missing = expected.filter { names[$0] == nil }.sorted()
    guard missing.isEmpty && unexpected.isEmpty && misshaped.isEmpty else {
      throw AutoencoderError.weights(
        .modelMismatch(
          path: file.path, missing: missing, unexpected: unexpected.sorted(),
          misshaped: misshaped))
    }
    return names
  }

  /// Older and today's names of the layers of an attention.
  private static let attentionNames = [
    ("query", "to_q"), ("key", "to_k"), ("value", "to_v"), ("proj_attn", "to_out.0"),
  ]

  private static func isOld(_ name: String) -> Bool { today(name) != name }

  private static func today(_ name: String) -> String {
    for (old, new) in attentionNames {
      for end in [".weight", ".bias"] where name.hasSuffix(".attentions.0.\(old)\(end)") {
        return name.dropLast(old.count + end.count) + new + end
      }
    }
    return name
  }

  /// Writes a folder that diffusers reads. Its bytes depend only on the settings and the weights.
  ///
  /// The weights are those in place: `ParameterSet.withWeights` puts an average there.
  package static func write(
    _ vae: VAE, scalingFactor: Double = standardScale, to folder: URL
  ) throws {
    let configuration = try configuration(
      Description(settings: vae.settings, scalingFactor: scalingFactor))
    let place = folder.appendingPathComponent(configurationName)
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw FileError.unwritable(path: folder.path, reason: error.localizedDescription)
    }
    try save(vae.parameters, to: folder.appendingPathComponent(weightsName))
    try AtomicFile.write(configuration, to: place.path, durable: true)
  }

  private static func save(_ parameters: ParameterSet, to url: URL) throws {
    let entries = parameters.table.sortedByName
    let writer = try SafetensorsWriter(
      url, entries.map { .init($0.name, .float32, $0.shape) }, metadata: ["format": "pt"])
    for entry in entries { try writer.write(parameters.fileValues(entry)) }
    try writer.finish()
  }

  /// A digest of names, shapes and weights, 32 hexadecimal digits, which latents on disk record. It
  /// does not depend on the naming of the attention's tensors in the file, nor on settings beside
  /// the weights.
  package static func digest(of vae: VAE) -> String {
    var checksum = Checksum()
    for entry in vae.parameters.table.sortedByName {
      Array("\(entry.name) \(entry.shape)\n".utf8).withUnsafeBytes { checksum.update($0) }
      vae.parameters.fileValues(entry).withUnsafeBytes { checksum.update($0) }
    }
    return checksum.digest
  }
}

extension ParameterSet {
  /// A parameter's elements as files have them.
  fileprivate func fileValues(_ entry: ParameterEntry) -> [Float] {
    let memory = weights.view(at: entry.offset, [entry.count]).floats
    return entry.layout.toFile(memory, shape: entry.shape)
  }
}
