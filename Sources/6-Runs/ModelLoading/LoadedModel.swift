import Autodiff
import Checkpoints
import Collectives
import CommandSupport
import Configuration
import DiffiTModels
import Diffusion
import TensorCore

/// A checkpoint, the configuration that it was trained with, and the weights to use of it.
package struct LoadedModel {
  /// The checkpoint's files, verified.
  package let reader: CheckpointReader
  /// The settings in the checkpoint's manifest.
  package let configuration: Configuration
  /// The flat vector that the weights are read from: `weights` or `ema.NAME`.
  package let vector: String

  /// Chooses the weights; nothing is read but the manifest.
  ///
  /// - Parameter ema: the average of the weights to use; nil: the first average, or the weights
  ///   themselves where there is none; `raw`: the weights themselves.
  /// - Throws: `ModelError.noAverage`; `ConfigurationError` for settings that this version does not
  ///   know.
  package init(_ reader: CheckpointReader, ema: String?) throws {
    self.reader = reader
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

  /// The checkpoint at `path`, or the newest good checkpoint of the run there. Every rank reads it;
  /// the first one logs which checkpoints were passed over. Collective.
  package static func find(
    _ path: String, ema: String?, over communicator: any Communicator, log: RunLog
  ) throws -> LoadedModel {
    let (loaded, passedOver) = try communicator.agree {
      let (reader, passedOver) = try CheckpointReader.find(path)
      return (try LoadedModel(reader, ema: ema), passedOver)
    }
    if communicator.rank == 0 {
      for passed in passedOver { log.warning("passed over: \(passed.reason)") }
    }
    return loaded
  }

  /// The facts about the run's latents; nil where the network works on pixels.
  package var latents: LatentMetadata? { LatentMetadata(manifest: reader.manifest.configuration) }

  /// The denoising network with its weights, without gradients.
  ///
  /// - Throws: `ModelError.samplesNothing` for an autoencoder; `ModelError.otherNetwork`.
  package func model(on context: ComputeContext) throws -> DenoisingModel {
    guard configuration.model.kind != .vae else {
      throw ModelError.samplesNothing(checkpoint: reader.url.path)
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
      throw ModelError.notAnAutoencoder(path: reader.url.path)
    }
    let model = AutoencoderModel(configuration, precision: precision)
    try fill(model.sets, on: context)
    return model.vae
  }

  /// The weights and where they are from, for errors: `weights (raw) of runs/x/checkpoints/...`.
  package var origin: String {
    "\(vector == VectorName.weights ? "weights (raw)" : vector) of \(reader.url.path)"
  }

  /// Reads the weights of the first set, and throws where one of them is not finite.
  ///
  /// - Parameter sets: all sets of the checkpoint, declared; only the first takes memory.
  private func fill(_ sets: [DeclaredSet], on context: ComputeContext) throws {
    guard sets.table == reader.manifest.table else {
      throw ModelError.otherNetwork(checkpoint: reader.url.path, differences: [])
    }
    let parameters = sets[0].parameters
    parameters.allocate(on: context, gradients: false)
    try reader.read(vector, 0..<parameters.flatCount, into: parameters.weights)
    let values = parameters.weights.floats
    for entry in parameters.table.entries {
      guard let index = firstNotFinite(Array(values[entry.range])) else { continue }
      throw ModelError.notFinite(
        origin: origin, tensor: entry.name, index: index, found: values[entry.offset + index])
    }
  }
}

extension Configuration {
  /// The configuration in a checkpoint's manifest; facts about the run that are no settings are left out.
  package init(manifestOf checkpoint: CheckpointReader) throws(ConfigurationError) {
    let settings = checkpoint.manifest.configuration.filter {
      $0.key != ManifestKey.content && !$0.key.hasPrefix(LatentMetadata.prefix)
    }
    try self.init(dotted: settings, name: checkpoint.path)
  }
}
