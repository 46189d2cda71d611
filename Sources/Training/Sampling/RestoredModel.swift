import Autodiff
import Checkpoints
import Collectives
import DiffiTModels
import Diffusion
import TensorCore

/// A network as a checkpoint describes it.
struct RestoredModel {
  let reader: CheckpointReader
  let configuration: Configuration
  /// Which flat vector its weights are.
  let vector: String

  /// - Parameter ema: nil: the first average, or the weights where there is none; `raw`: the weights.
  init(_ reader: CheckpointReader, ema: String?) throws {
    self.reader = reader
    configuration = try Configuration(dotted: reader.manifest.configuration)
    let names = reader.manifest.vectors.filter { $0.hasPrefix("ema.") }.map {
      String($0.dropFirst(4))
    }
    if let ema, ema != "raw", !names.contains(ema) {
      throw TrainingError.noAverage(name: ema, present: names, checkpoint: reader.url.path)
    }
    let chosen = ema ?? names.first ?? "raw"
    vector = chosen == "raw" ? VectorName.weights : VectorName.ema(chosen)
  }

  /// The newest good checkpoint at `path` on every rank, and the network in it. Collective.
  static func find(
    _ path: String, ema: String?, over communicator: any Communicator, log: RunLog
  ) throws -> RestoredModel {
    let (restored, passedOver) = try communicator.agree {
      let (reader, passedOver) = try CheckpointReader.find(path)
      return (try RestoredModel(reader, ema: ema), passedOver)
    }
    if communicator.rank == 0 {
      for passed in passedOver { log.warning("passed over: \(passed.reason.finding)") }
    }
    return restored
  }

  /// The network with its weights.
  func model(on engine: Engine) throws -> DenoisingModel {
    guard configuration.model.kind != .vae else {
      throw TrainingError.drawsNothing(checkpoint: reader.url.path)
    }
    let model = DenoisingModel(configuration)
    try fill(model.parameters, on: engine)
    return model
  }

  /// The autoencoder with its weights.
  ///
  /// - Parameter precision: nil: that of the run.
  func autoencoder(
    precision: TrainSettings.Precision? = nil, on engine: Engine
  ) throws -> VAE {
    guard configuration.model.kind == .vae else {
      throw TrainingError.notAnAutoencoder(path: reader.url.path)
    }
    let vae = VAE(
      configuration.vaeSettings, precision: (precision ?? configuration.train.precision).dtype)
    try fill(vae.parameters, on: engine)
    return vae
  }

  /// - Parameter parameters: the first set of the checkpoint, declared.
  private func fill(_ parameters: ParameterSet, on engine: Engine) throws {
    guard configuration.objective().sets.table == reader.manifest.table else {
      throw TrainingError.otherNetwork(checkpoint: reader.url.path, differences: [])
    }
    parameters.allocate(on: engine, gradients: false)
    try reader.read(vector, 0..<parameters.flatCount, into: parameters.weights)
  }

  /// - Parameter showsPictures: whether anybody looks at pictures; a latent network then needs an autoencoder.
  func sampler(
    _ drawing: DrawingOptions, showsPictures: Bool = true, on engine: Engine
  ) throws -> ImageSampler {
    let classes = configuration.model.classes
    if let label = drawing.label, label >= classes {
      throw TrainingError.labelOutOfRange(label: label, classes: classes)
    }
    let settled = try Drawing(drawing, of: configuration)
    if drawing.guidance ?? 1 != 1, classes == 0 {
      throw TrainingError.nothingToGuide(checkpoint: reader.url.path)
    }
    let decoder = try decoder(drawing.vae, isNeeded: showsPictures, on: engine)
    return ImageSampler(
      try model(on: engine), settled, batch: drawing.batch, decoder: decoder, on: engine)
  }

  /// What tells images drawn like this from others.
  func record(_ drawing: DrawingOptions) throws -> SampleRecord {
    SampleRecord(
      checkpoint: reader.url.lastPathComponent, checkpointDigest: reader.digest,
      imagesSeen: reader.manifest.imagesSeen, weights: vector,
      precision: configuration.train.precision.rawValue,
      drawing: try Drawing(drawing, of: configuration), latents: latents)
  }
}

extension Configuration {
  /// The configuration that a manifest holds; facts about the run that are no settings are left out.
  init(dotted: [String: String]) throws(ConfigurationError) {
    let known = dotted.filter {
      $0.key != TrainRun.contentKey && !$0.key.hasPrefix(LatentFacts.prefix)
    }
    // Entries of a list in their order: ema.2 before ema.10.
    let settings = known.map { "\($0.key)=\($0.value)" }
      .sorted { $0.compare($1, options: .numeric) == .orderedAscending }
    try self.init(file: nil, overrides: settings)
  }
}
