import Autodiff
import Checkpoints
import Collectives
import CommandSupport
import Configuration
import DiffiTModels
import Diffusion
import Foundation
import TensorCore

/// Trained weights, and the configuration that they were trained with: of a checkpoint, or of a
/// single safetensors file.
package struct LoadedModel {
  /// Where the weights are.
  package enum Source: Sendable {
    /// A checkpoint's files, verified.
    case checkpoint(CheckpointReader)
    /// An export, or weights of another program.
    case file(WeightsFile)
  }

  /// Where the weights are.
  package let source: Source
  /// The settings in the checkpoint's manifest or in the file's metadata, or those that were given.
  package let configuration: Configuration
  /// Which weights they are: `weights` or `ema.NAME`; of a checkpoint its flat vector.
  package let vector: String

  /// Chooses the weights of a checkpoint; nothing is read but the manifest.
  ///
  /// - Parameter ema: the average of the weights to use; nil: the first average, or the weights
  ///   themselves where there is none; `raw`: the weights themselves.
  /// - Throws: `ModelError.noAverage`; `ConfigurationError` for settings that this version does not
  ///   know.
  package init(_ reader: CheckpointReader, ema: String?) throws {
    source = .checkpoint(reader)
    configuration = try Configuration(manifestOf: reader)
    let names = reader.manifest.vectors.filter { $0.hasPrefix("ema.") }.map {
      String($0.dropFirst(4))
    }
    if let ema, ema != "raw", !names.contains(ema) {
      throw ModelError.noAverage(name: ema, present: names, checkpoint: reader.url.path)
    }
    let chosen = ema ?? names.first ?? "raw"
    vector = chosen == "raw" ? VectorName.weights : VectorName.ema(chosen)
  }

  /// Takes the weights of a file; its tensors are read later.
  ///
  /// - Parameters:
  ///   - ema: as for a checkpoint; a file holds one set of weights and no other.
  ///   - config: a file of settings that names the network; nil: the file's own metadata do.
  /// - Throws: `ModelError.noSettings` where neither does; `ModelError.noAverage`.
  package init(_ file: WeightsFile, ema: String?, config: String?) throws {
    source = .file(file)
    guard
      let settings = try config.map({ try Configuration(file: $0) }) ?? file.configuration()
    else { throw ModelError.noSettings(file: file.path) }
    configuration = settings
    vector = file.weights
    let own = vector == VectorName.weights ? "raw" : String(vector.dropFirst(4))
    if let ema, ema != own {
      throw ModelError.noAverage(name: ema, present: [own], checkpoint: file.path)
    }
  }

  /// The weights at `path`: of a safetensors file, of the checkpoint there, or of the newest good
  /// checkpoint of the run there.
  ///
  /// - Parameter config: a file of settings that names the network of a safetensors file.
  /// - Returns: also the checkpoints that were passed over because they are damaged.
  package static func open(
    _ path: String, ema: String?, config: String? = nil
  ) throws -> (LoadedModel, passedOver: [CheckpointStore.PassedOver]) {
    if WeightsFile.isOne(path) {
      return (try LoadedModel(WeightsFile(path), ema: ema, config: config), [])
    }
    if let config {
      throw OptionError(
        option: "--config", found: config,
        expected: "only beside a .safetensors file: a run has settings of its own")
    }
    let (reader, passedOver) = try CheckpointReader.find(path)
    return (try LoadedModel(reader, ema: ema), passedOver)
  }

  /// As `open`; every rank reads, and the first one logs which checkpoints were passed over.
  /// Collective.
  package static func find(
    _ path: String, ema: String?, config: String? = nil, over communicator: any Communicator,
    log: RunLog
  ) throws -> LoadedModel {
    let (loaded, passedOver) = try communicator.agree { try open(path, ema: ema, config: config) }
    if communicator.rank == 0 {
      for passed in passedOver { log.warning("passed over: \(passed.reason)") }
    }
    return loaded
  }

  /// Whether a path is that of a network's weights, rather than of images.
  package static func isOne(_ path: String) -> Bool {
    WeightsFile.isOne(path) || CheckpointReader.isCheckpointOrRun(path)
  }

  /// The path of the checkpoint or the file.
  package var path: String {
    switch source {
    case .checkpoint(let reader): reader.url.path
    case .file(let file): file.path
    }
  }

  /// A fingerprint of the checkpoint or the file.
  package var digest: String {
    get throws {
      switch source {
      case .checkpoint(let reader): reader.digest
      case .file(let file): try file.digest
      }
    }
  }

  /// The number of images that the network was trained on; 0 where nothing tells.
  package var imagesSeen: Int {
    switch source {
    case .checkpoint(let reader): reader.manifest.imagesSeen
    case .file(let file): file.imagesSeen ?? 0
    }
  }

  private var facts: [String: String] {
    switch source {
    case .checkpoint(let reader): reader.manifest.configuration
    case .file(let file): file.facts
    }
  }

  /// The facts about the run's latents; nil where the network works on pixels, or nothing tells.
  package var latents: LatentMetadata? { LatentMetadata(manifest: facts) }

  /// The names of the classes; nil where they are not known.
  package var classNames: [String]? { ManifestKey.classNames(facts[ManifestKey.classNames]) }

  /// The denoising network with its weights, without gradients.
  ///
  /// - Throws: `ModelError.samplesNothing` for an autoencoder; `ModelError.otherNetwork`.
  package func model(on context: ComputeContext) throws -> DenoisingModel {
    guard configuration.model.kind != .vae else {
      throw ModelError.samplesNothing(checkpoint: path)
    }
    let model = DenoisingModel(configuration)
    try fill(model.sets, on: context)
    return model
  }

  /// The autoencoder with its weights, without gradients.
  ///
  /// - Parameter precision: what the network computes in; nil: the run's `train.precision`.
  /// - Throws: `ModelError.notAnAutoencoder`, `ModelError.otherNetwork`.
  package func autoencoder(
    precision: TrainSettings.Precision? = nil, on context: ComputeContext
  ) throws -> VAE {
    guard configuration.model.kind == .vae else {
      throw ModelError.notAnAutoencoder(path: path)
    }
    let model = AutoencoderModel(configuration, precision: precision)
    try fill(model.sets, on: context)
    return model.vae
  }

  /// The weights and where they are from, for errors: `weights (raw) of runs/x/checkpoints/...`.
  package var origin: String {
    "\(vector == VectorName.weights ? "weights (raw)" : vector) of \(path)"
  }

  /// Reads the weights of the first set, and throws where one of them is not finite.
  ///
  /// - Parameter sets: all sets of the checkpoint, declared; only the first takes memory.
  private func fill(_ sets: [DeclaredSet], on context: ComputeContext) throws {
    let parameters = sets[0].parameters
    switch source {
    case .checkpoint(let reader):
      guard sets.table == reader.manifest.table else {
        throw ModelError.otherNetwork(checkpoint: reader.url.path, differences: [])
      }
      parameters.allocate(on: context, gradients: false)
      try reader.read(vector, 0..<parameters.flatCount, into: parameters.weights)
    case .file(let file):
      parameters.allocate(on: context, gradients: false)
      try ModelFile.load(
        URL(fileURLWithPath: file.path), parameters.table,
        allowing: configuration.publishedTensors, into: parameters.weights)
    }
    for entry in parameters.table.entries {
      let fault: (index: Int, found: Float)? = parameters.weights.withFloats { weights in
        let values = UnsafeBufferPointer(start: weights + entry.offset, count: entry.count)
        return firstNotFinite(values).map { ($0, values[$0]) }
      }
      guard let fault else { continue }
      throw ModelError.notFinite(
        origin: origin, tensor: entry.name, index: fault.index, found: fault.found)
    }
  }

  /// Writes the weights of a denoising network as named tensors in PyTorch's layouts.
  ///
  /// - Parameters:
  ///   - carriesSettings: whether the metadata hold the configuration, so that the file can stand for
  ///     the run. Otherwise the bytes depend only on names and weights.
  ///   - made: weights that were made of this network's, of `Configuration.modelTable`, and what the
  ///     metadata call them; nil: its own.
  package func export(
    to url: URL, carriesSettings: Bool = true, made: (weights: Tensor, name: String)? = nil
  ) throws {
    var metadata = ["format": "pt"]
    let table = configuration.modelTable
    switch source {
    case .checkpoint(let reader):
      if carriesSettings {
        metadata = reader.exportMetadata(configuration, vector: made?.name ?? vector)
      }
      if let made { return try ModelFile.export(made.weights, table, to: url, metadata: metadata) }
      try ModelFile.export(reader, vector: vector, of: table, to: url, metadata: metadata)
    case .file(let file):
      if carriesSettings {
        metadata = file.metadata
        metadata["format"] = "pt"
        metadata[WeightsFile.Key.configuration] = configuration.exportedYAML
      }
      let weights = try made?.weights ?? model(on: ComputeContext()).parameters.weights
      try ModelFile.export(weights, table, to: url, metadata: metadata)
    }
  }
}

extension Configuration {
  /// The configuration in a checkpoint's manifest; facts about the run that are no settings are left out.
  package init(manifestOf checkpoint: CheckpointReader) throws(ConfigurationError) {
    let settings = checkpoint.manifest.configuration.filter { ManifestKey.isSetting($0.key) }
    try self.init(dotted: settings, name: checkpoint.path)
  }
}
