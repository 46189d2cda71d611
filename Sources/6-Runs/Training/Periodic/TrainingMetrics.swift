import Collectives
import CommandSupport
import Configuration
import Datasets
import Diffusion
import Evaluation
import Foundation
import Metrics
import ModelLoading
import RunData
import Sampling
import SystemSupport
import TensorCore

/// Computes metrics while a run trains, from samples that all ranks draw with its first moving
/// average. Weights, moments and random streams of the run do not change: it goes on as if nothing
/// had been measured.
final class TrainingMetrics {
  /// One measurement, as a row of `stats.jsonl`.
  struct Row: Codable, Equatable, Sendable {
    /// When the row was written, in UTC by ISO 8601; nil in rows of versions before 0.2.
    var time: String?
    /// Images of all ranks since the run began.
    var images: Int
    /// The metrics' values by name.
    var metrics: [String: Double]
    /// The held-out loss by noise level; nil where it was not measured.
    var lossByNoiseLevel: [NoiseLevelLoss]?
    /// Images that were drawn or reconstructed.
    var samples: Int
    /// Which weights were measured: `ema.NAME` or `weights`.
    var weights: String
    /// Feature networks and protocols, such as `builtin/native`.
    var features: [String]
    /// How long it took.
    var seconds: Double

    enum CodingKeys: String, CodingKey {
      case time, images, metrics, weights, features
      case lossByNoiseLevel = "loss_by_noise_level"
      case samples = "metrics_samples"
      case seconds = "metrics_seconds"
    }
  }

  private let configuration: Configuration
  private let data: TrainingData
  private let directory: RunDirectory
  private let log: RunLog
  private let communicator: any Communicator
  private let context: ComputeContext
  private let selection: MetricSelection
  private let features: FeatureEvaluator
  private let heldOut: (any TrainingDataset)?
  private let source: ReferenceSource?
  private var references: [MetricReference]?

  private var settings: MetricsSettings { configuration.metrics }

  /// Opens everything that measuring needs, on every rank, before the run directory is touched.
  /// Collective.
  ///
  /// - Parameters:
  ///   - data: what the run trains on.
  ///   - canDecode: whether a latent network's samples can be turned into images.
  ///   - directory: of the run, which keeps statistics of the training data.
  /// - Returns: nil where nothing is to be measured.
  init?(
    _ configuration: Configuration, on data: TrainingData, canDecode: Bool,
    in directory: RunDirectory, log: RunLog, over communicator: any Communicator,
    on context: ComputeContext
  ) throws {
    let settings = configuration.metrics
    guard settings.every > 0 else { return nil }
    (self.configuration, self.data, self.directory) = (configuration, data, directory)
    (self.log, self.communicator, self.context) = (log, communicator, context)
    (selection, features, heldOut, source) = try communicator.agree {
      let options = try FeatureOptions(
        features: settings.features, protocolName: settings.protocol)
      let selection = try MetricSelection(settings.names, features: options.source)
      if data.latents != nil, !canDecode, !selection.metrics.isEmpty {
        throw LatentsError.noAutoencoder(what: "metrics.names: \(settings.names[0])")
      }
      let features = try FeatureEvaluator(selection, options, on: context)
      var source: ReferenceSource?
      if selection.metrics.contains(where: { $0.referencePart != .none }) {
        source = try data.reference(configuration)
      }
      try source?.check(features)
      try features.require(settings.samples, of: .samples)
      let heldOut =
        selection.hasLoss || selection.hasPSNR
        ? try configuration.heldOutExamples(latents: data.latents) : nil
      return (selection, features, heldOut, source)
    }
  }

  /// Measures the trainer's present state. Collective.
  func measure(_ trainer: Trainer) throws -> Row {
    let begun = MonotonicClock.now
    communicator.activity.enter(.sampling)
    let average = trainer.model.averages.first
    let weights = try average.map { try trainer.model.values(of: $0) } ?? trainer.parameters.weights
    var row = Row(
      images: trainer.imagesSeen, metrics: [:], samples: settings.samples,
      weights: average.map { "ema.\($0.name)" } ?? "weights",
      features: features.networks.map { "\($0.extractor.name)/\($0.extractor.protocolName)" },
      seconds: 0)
    if let autoencoder = trainer.task as? AutoencoderTask,
      let heldOut = (heldOut as? ImageSamples)?.dataset
    {
      row.samples = min(settings.samples, heldOut.count)
      row.metrics[MetricSelection.psnr] = try trainer.parameters.withWeights(weights) {
        try Reconstructions(
          vae: autoencoder.vae, dataset: heldOut, batch: ImageSampler.standardBatch,
          context: context
        ).psnr(of: row.samples, over: communicator) { _, _ in
          communicator.activity.enter(.sampling)
        }
      }
    }
    if let diffusion = trainer.task as? DiffusionTask {
      try measure(diffusion, with: weights, of: trainer, into: &row)
    }
    context.memory.trim()  // sampling has tensors of other sizes than training
    (row.time, row.seconds) = (WallClock.utc(), MonotonicClock.now - begun)
    return row
  }

  private func measure(
    _ diffusion: DiffusionTask, with weights: Tensor, of trainer: Trainer,
    into row: inout Row
  ) throws {
    let sampler = diffusion.sampler(configuration.sample, on: context)
    if !selection.metrics.isEmpty {
      let references = try compared()
      let accumulators = try trainer.parameters.withWeights(weights) {
        try features.accumulate(
          sampler, seeds: 0..<UInt64(settings.samples), over: communicator
        ) { _, _ in communicator.activity.enter(.sampling) }
      }
      if let fault = try communicator.firstText(diffusion.takePreviewFault()) {
        if communicator.rank == 0 { log.warning("metrics of samples are left out: \(fault)") }
      } else {
        for result in try features.results(accumulators, against: references, over: communicator) {
          for (name, value) in result.named { row.metrics[name] = value }
        }
      }
    }
    if let heldOut {
      let loss = try trainer.parameters.withWeights(weights) {
        try HeldOutLoss.measure(
          diffusion.model, on: heldOut, count: min(settings.samples, heldOut.count),
          batch: sampler.batch, context: context, over: communicator
        ) { _, _ in communicator.activity.enter(.sampling) }
      }
      row.metrics[MetricSelection.loss] = loss.mean
      row.lossByNoiseLevel = loss.byNoiseLevel
    }
  }

  /// Names and values for a line of the log: `fd_random 12.3  loss 0.21`.
  func summary(_ row: Row) -> String {
    selection.valueNames.compactMap { name in
      row.metrics[name].map { "\(name) \(EvaluationReport.number($0))" }
    }.joined(separator: "  ")
  }

  /// What samples are compared with, computed when it is first needed. Statistics of the training
  /// data are kept in the run directory. Collective.
  private func compared() throws -> [MetricReference] {
    if let references { return references }
    guard var source else { return features.networks.map { _ in .none } }
    let begun = MonotonicClock.now
    let kept = settings.reference.isEmpty ? try readKept(&source) : Set(features.networks.indices)
    let made = try source.references(features, mixedSizes: false, over: communicator) { _, _ in
      communicator.activity.enter(.sampling)
    }
    try communicator.agree {
      guard communicator.rank == 0 else { return }
      for (index, network) in features.networks.enumerated() where !kept.contains(index) {
        try keep(made[index], of: network.extractor)
      }
    }
    log.info(
      "metrics: features of \(source.path) in \(Format.duration(MonotonicClock.now - begun))")
    references = made
    return made
  }

  /// Adds the statistics that earlier starts of the run have kept to `source`. Collective: the
  /// first rank looks for the files.
  ///
  /// - Returns: indices of the networks for which all statistics were found.
  private func readKept(_ source: inout ReferenceSource) throws -> Set<Int> {
    let files = features.networks.map { referenceFile($0.extractor) }
    let flags = try communicator.broadcast(
      communicator.rank == 0
        ? zip(files, features.networks).map { isReadable($0, $1.extractor) ? 1 : 0 } : [])
    return try communicator.agree {
      var complete: Set<Int> = []
      for (index, network) in features.networks.enumerated() where flags[index] == 1 {
        let statistics = try ReferenceFile.read(files[index], for: network.extractor)
        source.add(statistics)
        let isComplete = network.metrics.allSatisfy {
          $0.referencePart != .statistics || statistics.gaussians[$0.features] != nil
        }
        if isComplete { complete.insert(index) }
      }
      return complete
    }
  }

  /// Whether a file of statistics is there and whole; one that is damaged is made again.
  private func isReadable(_ file: String, _ extractor: any FeatureExtractor) -> Bool {
    guard Files.kindIfPresent(file) != nil else { return false }
    do {
      _ = try ReferenceFile.read(file, for: extractor)
      return true
    } catch {
      log.warning("made again, because it is damaged: \(error)")
      return false
    }
  }

  /// Writes a reference to the run directory, if it has features of a network's last layer.
  private func keep(_ reference: MetricReference, of extractor: some FeatureExtractor) throws {
    let kinds = reference.statistics.keys
    guard kinds.contains(.pool2048) || kinds.contains(.random) else { return }
    let file = referenceFile(extractor)
    try FileOutput.makeFolder(ofFile: file)
    try StatisticsJob.write(reference, of: extractor, to: file)
  }

  /// `RUN/metrics/builtin-native-1a2b3c4d-5e6f7a8b.npz`: network, protocol, and digests of network
  /// and data.
  private func referenceFile(_ extractor: some FeatureExtractor) -> String {
    let digests = [extractor.digest, data.samples.contentDigest].map { $0.suffix(8) }
    return "\(directory.references)/\(extractor.name)-\(extractor.protocolName)-"
      + "\(digests[0])-\(digests[1]).npz"
  }
}
