import Checkpoints
import Collectives
import Datasets
import Foundation
import Metrics
import TensorCore

/// `diffit evaluate`: measures a network's samples, or images that are there already.
public enum EvaluateJob {
  public static func run(_ options: EvaluateOptions) throws {
    let selection = try options.selection()
    try Job.run(json: options.json) { communicator, log in
      let engine = try communicator.agreedEngine()
      let report =
        try Evaluation(
          options: options, selection: selection, engine: engine, communicator: communicator,
          log: log
        ).run()
      try communicator.agree {
        guard communicator.rank == 0 else { return }
        if options.json != "-" { print(report.text(selection.valueNames)) }
        if let path = options.json { try writeJSON(report, to: path) }
      }
    }
  }
}

extension EvaluateOptions {
  /// - Throws: for names that no metric has, and for metrics that the features do not give.
  func selection() throws(ConfigurationError) -> MetricSelection {
    do throws(MetricSelection.Problem) {
      return try MetricSelection(metrics, hasInception: measuring.features.path != nil)
    } catch {
      throw .badOption(option: "--metrics", found: error.found, expected: error.expected)
    }
  }
}

/// One `diffit evaluate`.
private struct Evaluation {
  let options: EvaluateOptions
  let selection: MetricSelection
  let engine: Engine
  let communicator: any Communicator
  let log: RunLog

  /// What is measured.
  private enum Target {
    case network(RestoredModel, ImageSampler)
    /// What an autoencoder makes of held-out images.
    case autoencoder(RestoredModel, Reconstructions)
    case images(any ImageCollection)

    var restored: RestoredModel? {
      switch self {
      case .network(let restored, _), .autoencoder(let restored, _): restored
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
      try FeaturePass(selection, options.measuring, on: engine)
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
    if selection.hasLoss, case .network(let restored, let sampler) = target {
      let loss = try heldOutLoss(restored, sampler)
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
        if selection.hasLoss { throw TrainingError.lossNeedsNetwork(path: options.target) }
        if selection.hasPSNR { throw TrainingError.notAnAutoencoder(path: options.target) }
        return try ImageCollections.open(options.target)
      }
      return .images(images)
    }
    let restored = try RestoredModel.find(
      options.target, ema: options.drawing.ema, over: communicator, log: log)
    if selection.hasPSNR || restored.configuration.model.kind == .vae {
      return try communicator.agree {
        let vae = try restored.autoencoder(on: engine)
        if selection.hasLoss {
          throw TrainingError.drawsNothing(checkpoint: restored.reader.url.path)
        }
        let dataset = try restored.configuration.heldOutDataset(path: options.heldOut)
        return .autoencoder(
          restored,
          Reconstructions(
            vae: vae, dataset: dataset, batch: options.drawing.batch, engine: engine))
      }
    }
    let sampler = try communicator.agree {
      try restored.sampler(
        options.drawing, showsPictures: !selection.metrics.isEmpty, on: engine)
    }
    return .network(restored, sampler)
  }

  /// What samples are compared with; nil where no metric needs anything. Collective.
  private func reference(_ target: Target) throws -> ReferenceSource? {
    let first = selection.metrics.first { $0.need != .none }
    guard let first else { return nil }
    if let path = options.reference {
      return try communicator.agree { try ReferenceSource(path) }
    }
    guard let restored = target.restored else {
      return try communicator.agree {
        throw TrainingError.noReference(metric: first.rawValue, path: options.target)
      }
    }
    let configuration = restored.configuration
    return ReferenceSource(
      try configuration.dataset(over: communicator), path: configuration.data.summary)
  }

  /// How many images a measurement takes; throws where something will be missing in the end.
  private func checkedSamples(
    _ target: Target, _ pass: FeaturePass, _ source: ReferenceSource?
  ) throws -> Int {
    try source?.check(pass)
    if selection.metrics.isEmpty && !selection.hasPSNR { return 0 }
    let samples = options.samples ?? target.imageCount.map { $0 / options.repeats } ?? 50_000
    if let count = target.imageCount {
      guard samples * options.repeats <= count, samples > 0 else {
        throw TrainingError.fewerImages(
          path: name(target), found: count, needed: max(samples, 1) * options.repeats)
      }
    }
    try pass.require(samples, of: .samples)
    return samples
  }

  private func references(
    _ source: ReferenceSource?, _ pass: FeaturePass
  ) throws -> [MetricReference] {
    guard let source else { return pass.networks.map { _ in .none } }
    return try withProgress("reference") { progress in
      try source.references(
        pass, mixedSizes: options.measuring.mixedSizes, over: communicator, progress: progress)
    }
  }

  private func draw(
    with sampler: ImageSampler, _ pass: FeaturePass, _ samples: Int, _ index: Int
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
    _ reconstructions: Reconstructions, _ pass: FeaturePass, _ samples: Int, _ index: Int
  ) throws -> [MetricAccumulator] {
    try withProgress(title("reconstructing", index)) { progress in
      try reconstructions.accumulate(
        index * samples..<(index + 1) * samples, pass, over: communicator, progress: progress)
    }
  }

  private func read(
    _ images: any ImageCollection, _ pass: FeaturePass, _ samples: Int, _ index: Int
  ) throws -> [MetricAccumulator] {
    try withProgress(title("images", index)) { progress in
      try pass.accumulate(
        images, index * samples..<(index + 1) * samples, as: .samples,
        mixedSizes: options.measuring.mixedSizes, over: communicator, progress: progress)
    }
  }

  private func heldOutLoss(
    _ restored: RestoredModel, _ sampler: ImageSampler
  ) throws -> HeldOutLoss {
    let examples = try communicator.agree {
      try restored.configuration.heldOutExamples(
        path: options.heldOut, latents: restored.latents)
    }
    let count = min(options.samples ?? examples.count, examples.count)
    return try withProgress("held-out loss") { progress in
      try HeldOutLoss.measure(
        sampler.model, on: examples, count: count, batch: sampler.batch,
        engine: engine, over: communicator
      ) { progress($0, communicator.share(of: count).count) }
    }
  }

  private func description(_ target: Target, samples: Int) throws -> EvaluationReport {
    var report = EvaluationReport(
      source: options.target, samples: samples, repeats: options.repeats)
    switch target {
    case .network(let restored, _):
      report.drawing = try restored.record(options.drawing)
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
    guard let data = target.restored?.configuration.data else { return options.target }
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
    let begun = PhaseClock.now
    var line: ProgressLine?
    defer { log.endProgress() }
    return try body { done, total in
      var now = line ?? ProgressLine(name, of: total, startedAt: begun)
      log.progress(&now, done: done)
      line = now
    }
  }
}

extension ImageSampler {
  /// Draws images and takes them up as features, quantised as `sample` writes them.
  func accumulate(
    seeds: [UInt64], _ pass: FeaturePass, progress: (_ done: Int) -> Void
  ) throws -> [MetricAccumulator] {
    var accumulators = try pass.accumulators()
    var done = 0
    try drawBatches(seeds: seeds) { seeds, images in
      try pass.add(images, to: &accumulators)
      done += seeds.count
      progress(done)
    }
    return accumulators
  }
}
