import Autodiff
import Checkpoints
import Collectives
import CommandSupport
import Configuration
import DiffiTModels
import Diffusion
import TensorCore

/// A network as a checkpoint describes it.
package struct LoadedModel {
  package let reader: CheckpointReader
  package let configuration: Configuration
  /// Which flat vector its weights are.
  package let vector: String

  /// - Parameter ema: nil: the first average, or the weights where there is none; `raw`: the weights.
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

  /// The newest good checkpoint at `path` on every rank, and the network in it. Collective.
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

  /// The network with its weights.
  package func model(on context: ComputeContext) throws -> DenoisingModel {
    guard configuration.model.kind != .vae else {
      throw ModelError.drawsNothing(checkpoint: reader.url.path)
    }
    let model = DenoisingModel(configuration)
    try fill(model.parameters, on: context)
    return model
  }

  /// The autoencoder with its weights.
  ///
  /// - Parameter precision: nil: that of the run.
  package func autoencoder(
    precision: TrainSettings.Precision? = nil, on context: ComputeContext
  ) throws -> VAE {
    guard configuration.model.kind == .vae else {
      throw ModelError.notAnAutoencoder(path: reader.url.path)
    }
    let vae = VAE(
      configuration.vaeSettings, precision: (precision ?? configuration.train.precision).dtype)
    try fill(vae.parameters, on: context)
    return vae
  }

  /// - Parameter parameters: the first set of the checkpoint, declared.
  private func fill(_ parameters: ParameterSet, on context: ComputeContext) throws {
    guard configuration.parameterTable == reader.manifest.table else {
      throw ModelError.otherNetwork(checkpoint: reader.url.path, differences: [])
    }
    parameters.allocate(on: context, gradients: false)
    try reader.read(vector, 0..<parameters.flatCount, into: parameters.weights)
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
