import Checkpoints
import Collectives
import CommandSupport
import Configuration
import Datasets
import Foundation
import Metrics
import ModelLoading
import Sampling
import SystemSupport
import TensorCore

/// `diffit evaluate`: measures a network's samples, or images that are there already.
package enum EvaluateJob {
  package static func run(_ options: EvaluateOptions) throws {
    let selection = try options.selection()
    try Job.run(json: options.json) { communicator, log in
      let context = try communicator.agreedContext()
      let report =
        try Evaluation(
          options: options, selection: selection, context: context, communicator: communicator,
          log: log
        ).run()
      try communicator.agree {
        guard communicator.rank == 0 else { return }
        if options.json != "-" { try StandardStreams.printLine(report.text(selection.valueNames)) }
        if let path = options.json { try writeJSON(report, to: path) }
      }
    }
  }
}

extension EvaluateOptions {
  /// - Throws: for names that no metric has, and for metrics that the features do not give.
  func selection() throws(OptionError) -> MetricSelection {
    do throws(MetricSelection.Problem) {
      return try MetricSelection(metrics, hasInception: measuring.features.path != nil)
    } catch {
      throw OptionError(option: "--metrics", found: error.found, expected: error.expected)
    }
  }
}

/// One `diffit evaluate`.
private struct Evaluation {
  let options: EvaluateOptions
  let selection: MetricSelection
  let context: ComputeContext
  let communicator: any Communicator
  let log: RunLog

  /// What is measured.
  private enum Target {
    case network(LoadedModel, ImageSampler)
    /// What an autoencoder makes of held-out images.
    case autoencoder(LoadedModel, Reconstructions)
    case images(any ImageCollection)

    var loaded: LoadedModel? {
      switch self {
      case .network(let loaded, _), .autoencoder(let loaded, _): loaded
      case .images: nil
      }
    }

    /// The number of images, where it is not free.
    var imageCount: Int? {
      switch self {
      case .network: nil
      case .autoencoder(_, let reconstructions): reconstructions.dataset.count
      case .images(let images): images.count
      }
    }
  }

  /// Collective; the same report on every rank.
  func run() throws -> EvaluationReport {
    let target = try open()
    let pass = try communicator.agree {
      try FeatureEvaluator(selection, options.measuring, on: context)
    }
    let source = try reference(target)
    let samples = try communicator.agree { try checkedSamples(target, pass, source) }
    var report = try description(target, samples: samples)
    report.features = pass.networks.map { EvaluationReport.Features($0.extractor) }

    if !selection.metrics.isEmpty {
      let references = try references(source, pass)
      report.reference = source?.path
      let measurements = try (0..<options.repeats).map { index in
        let accumulators =
          switch target {
          case .network(_, let sampler): try draw(with: sampler, pass, samples, index)
          case .autoencoder(_, let made): try reconstruct(made, pass, samples, index)
          case .images(let images): try read(images, pass, samples, index)
          }
        return try pass.results(accumulators, against: references, over: communicator)
      }
      report.add(measurements)
    }
    if selection.hasLoss, case .network(let loaded, let sampler) = target {
      let loss = try heldOutLoss(loaded, sampler)
      report.note(MetricSelection.loss, [loss.mean])
      report.loss = loss
    }
    if selection.hasPSNR, case .autoencoder(_, let reconstructions) = target {
      let psnr = try withProgress("held-out images") { progress in
        try reconstructions.psnr(
          of: samples * options.repeats, over: communicator, progress: progress)
      }
      report.note(MetricSelection.psnr, [psnr])
    }
    return report
  }

  private func open() throws -> Target {
    let isNetwork = try communicator.agree { CheckpointReader.isCheckpointOrRun(options.target) }
    guard isNetwork else {
      let images = try communicator.agree {
        if selection.hasLoss { throw EvaluationError.lossNeedsNetwork(path: options.target) }
        if selection.hasPSNR { throw ModelError.notAnAutoencoder(path: options.target) }
        return try ImageCollections.open(options.target)
      }
      return .images(images)
    }
    let loaded = try LoadedModel.find(
      options.target, ema: options.drawing.ema, over: communicator, log: log)
    if selection.hasPSNR || loaded.configuration.model.kind == .vae {
      return try communicator.agree {
        let vae = try loaded.autoencoder(on: context)
        if selection.hasLoss {
          throw ModelError.drawsNothing(checkpoint: loaded.reader.url.path)
        }
        let dataset = try loaded.configuration.heldOutDataset(path: options.heldOut)
        return .autoencoder(
          loaded,
          Reconstructions(
            vae: vae, dataset: dataset, batch: options.drawing.batch, context: context))
      }
    }
    let sampler = try communicator.agree {
      try loaded.sampler(
        options.drawing, showsPictures: !selection.metrics.isEmpty, on: context)
    }
    return .network(loaded, sampler)
  }

  /// What samples are compared with; nil where no metric needs anything. Collective.
  private func reference(_ target: Target) throws -> ReferenceSource? {
    let first = selection.metrics.first { $0.need != .none }
    guard let first else { return nil }
    if let path = options.reference {
      return try communicator.agree { try ReferenceSource(path) }
    }
    guard let loaded = target.loaded else {
      return try communicator.agree {
        throw EvaluationError.noReference(metric: first.rawValue, path: options.target)
      }
    }
    let configuration = loaded.configuration
    return ReferenceSource(
      try configuration.dataset(over: communicator), path: configuration.data.summary)
  }

  /// How many images a measurement takes; throws where something will be missing in the end.
  private func checkedSamples(
    _ target: Target, _ pass: FeatureEvaluator, _ source: ReferenceSource?
  ) throws -> Int {
    try source?.check(pass)
    if selection.metrics.isEmpty && !selection.hasPSNR { return 0 }
    let samples = options.samples ?? target.imageCount.map { $0 / options.repeats } ?? 50_000
    if let count = target.imageCount {
      guard samples * options.repeats <= count, samples > 0 else {
        throw EvaluationError.fewerImages(
          path: name(target), found: count, needed: max(samples, 1) * options.repeats)
      }
    }
    try pass.require(samples, of: .samples)
    return samples
  }

  private func references(
    _ source: ReferenceSource?, _ pass: FeatureEvaluator
  ) throws -> [MetricReference] {
    guard let source else { return pass.networks.map { _ in .none } }
    return try withProgress("reference") { progress in
      try source.references(
        pass, mixedSizes: options.measuring.mixedSizes, over: communicator, progress: progress)
    }
  }

  private func draw(
    with sampler: ImageSampler, _ pass: FeatureEvaluator, _ samples: Int, _ index: Int
  ) throws -> [MetricAccumulator] {
    let first = options.seed + UInt64(index * samples)
    let seeds = communicator.share(of: samples).map { first + UInt64($0) }
    return try withProgress(title("sampling", index)) { progress in
      try communicator.agree {
        try sampler.accumulate(seeds: seeds, pass) { progress($0, seeds.count) }
      }
    }
  }

  private func reconstruct(
    _ reconstructions: Reconstructions, _ pass: FeatureEvaluator, _ samples: Int, _ index: Int
  ) throws -> [MetricAccumulator] {
    try withProgress(title("reconstructing", index)) { progress in
      try reconstructions.accumulate(
        index * samples..<(index + 1) * samples, pass, over: communicator, progress: progress)
    }
  }

  private func read(
    _ images: any ImageCollection, _ pass: FeatureEvaluator, _ samples: Int, _ index: Int
  ) throws -> [MetricAccumulator] {
    try withProgress(title("images", index)) { progress in
      try pass.accumulate(
        images, index * samples..<(index + 1) * samples, as: .samples,
        mixedSizes: options.measuring.mixedSizes, over: communicator, progress: progress)
    }
  }

  private func heldOutLoss(
    _ loaded: LoadedModel, _ sampler: ImageSampler
  ) throws -> HeldOutLoss {
    let examples = try communicator.agree {
      try loaded.configuration.heldOutExamples(
        path: options.heldOut, latents: loaded.latents)
    }
    let count = min(options.samples ?? examples.count, examples.count)
    return try withProgress("held-out loss") { progress in
      try HeldOutLoss.measure(
        sampler.model, on: examples, count: count, batch: sampler.batch,
        context: context, over: communicator
      ) { progress($0, communicator.share(of: count).count) }
    }
  }

  private func description(_ target: Target, samples: Int) throws -> EvaluationReport {
    var report = EvaluationReport(
      source: options.target, samples: samples, repeats: options.repeats)
    switch target {
    case .network(let loaded, _):
      report.drawing = try loaded.record(options.drawing)
      if samples > 0 {
        report.seeds = "\(options.seed)-\(options.seed + UInt64(samples * options.repeats) - 1)"
      }
    case .autoencoder: break
    case .images(let images):
      report.drawing = try? SampleRecord(
        readingFile: SampleFolder(path: images.path).recordPath)
    }
    return report
  }

  /// Where a target's images are, for errors.
  private func name(_ target: Target) -> String {
    guard let data = target.loaded?.configuration.data else { return options.target }
    let heldOut = options.heldOut ?? data.validation
    return "held-out images of \(heldOut.isEmpty ? data.summary : heldOut)"
  }

  private func title(_ work: String, _ index: Int) -> String {
    options.repeats > 1 ? "\(work) (\(index + 1) of \(options.repeats))" : work
  }

  /// Shows the progress of this rank's share.
  private func withProgress<Value>(
    _ title: String, _ body: ((_ done: Int, _ total: Int) -> Void) throws -> Value
  ) throws -> Value {
    let name = communicator.title(title)
    let begun = MonotonicClock.now
    var line: ProgressLine?
    defer { log.endProgress() }
    return try body { done, total in
      var now = line ?? ProgressLine(name, of: total, startedAt: begun)
      log.progress(&now, done: done)
      line = now
    }
  }
}
