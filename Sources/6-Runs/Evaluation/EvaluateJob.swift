import Collectives
import CommandSupport
import Configuration
import Datasets
import Foundation
import Metrics
import ModelLoading
import RunData
import Sampling
import SystemSupport
import TensorCore

/// `diffit evaluate`: measures a network's samples, an autoencoder's reconstructions, or images in
/// files.
package struct EvaluateJob {
  private let request: EvaluationRequest
  private let context: ComputeContext
  private let communicator: any Communicator
  private let log: RunLog

  /// Measures on all ranks; the first rank prints the report, or writes it where the request says
  /// so.
  package static func run(_ request: EvaluationRequest) throws {
    try Job.run(json: request.json) { communicator, log in
      let job = EvaluateJob(
        request: request, context: try communicator.agreedContext(), communicator: communicator,
        log: log)
      let report = try job.measure()
      try communicator.agree {
        guard communicator.rank == 0 else { return }
        if request.json != "-" {
          try StandardStreams.printLine(report.text(request.metrics.valueNames))
        }
        if let path = request.json { try writeJSON(report, to: path) }
      }
    }
  }

  /// The whole evaluation in its order: open everything, check that nothing will be missing in the
  /// end, then work. Collective; the same report on every rank.
  private func measure() throws -> EvaluationReport {
    let target = try open()
    let evaluator = try communicator.agree {
      try FeatureEvaluator(request.metrics, request.features, on: context)
    }
    let source = try reference(target)
    if case .images(let images) = target { log.tell(leftOut: images.leftOut, in: images.path) }
    if let images = source?.images { log.tell(leftOut: images.leftOut, in: images.path) }
    let samples = try communicator.agree { try checkedSamples(target, evaluator, source) }
    var report = try description(target, samples: samples)
    report.features = evaluator.networks.map { EvaluationReport.Features($0.extractor) }

    if !request.metrics.metrics.isEmpty {
      try announceTime(target, evaluator, samples: samples)
      let references = try references(source, evaluator)
      report.reference = source?.path
      report.add(
        try (0..<request.repeats).map { index in
          let accumulators = try features(
            of: target, index * samples..<(index + 1) * samples, evaluator, title: title(index))
          return try evaluator.results(accumulators, against: references, over: communicator)
        })
    }
    if request.metrics.hasLoss, case .network(let loaded, let sampler) = target {
      let loss = try heldOutLoss(loaded, sampler)
      try communicator.agree {
        if !loss.mean.isFinite { throw EvaluationError.lossNotFinite(origin: loaded.origin) }
      }
      report.note(MetricSelection.loss, [loss.mean])
      report.loss = loss
    }
    if request.metrics.hasPSNR, case .autoencoder(_, let reconstructions) = target {
      let psnr = try withProgress("held-out images") { progress in
        try reconstructions.psnr(
          of: samples * request.repeats, over: communicator, progress: progress)
      }
      report.note(MetricSelection.psnr, [psnr])
    }
    return report
  }
}

// MARK: - Opening

extension EvaluateJob {
  /// What is measured.
  private enum Target {
    /// A network, whose samples are measured.
    case network(LoadedModel, ImageSampler)
    /// An autoencoder, whose reconstructions of held-out images are measured.
    case autoencoder(LoadedModel, Reconstructions)
    /// Images in files.
    case images(any ImageCollection)

    var loaded: LoadedModel? {
      switch self {
      case .network(let loaded, _), .autoencoder(let loaded, _): loaded
      case .images: nil
      }
    }

    /// The number of images that there are; nil for a network, which makes as many as are wanted.
    var imageCount: Int? {
      switch self {
      case .network: nil
      case .autoencoder(_, let reconstructions): reconstructions.dataset.count
      case .images(let images): images.count
      }
    }
  }

  /// Opens the target and reads its weights. Collective.
  private func open() throws -> Target {
    let metrics = request.metrics
    let isNetwork = try communicator.agree { LoadedModel.isOne(request.target) }
    guard isNetwork else {
      let images = try communicator.agree {
        guard FileManager.default.fileExists(atPath: request.target) else {
          throw FileError.notFound(path: request.target)
        }
        if metrics.hasLoss { throw EvaluationError.lossNeedsNetwork(path: request.target) }
        if metrics.hasPSNR { throw ModelError.notAnAutoencoder(path: request.target) }
        return try ImageCollections.open(request.target)
      }
      return .images(images)
    }
    let loaded = try LoadedModel.find(
      request.target, ema: request.sampling.ema, config: request.config, over: communicator,
      log: log)
    return try communicator.agree {
      let sampling = try request.sampling.naming(classesOf: loaded)
      guard metrics.hasPSNR || loaded.configuration.model.kind == .vae else {
        let sampler = try ImageSampler(
          loaded, sampling, showsImages: !metrics.metrics.isEmpty, on: context)
        return .network(loaded, sampler)
      }
      let vae = try loaded.autoencoder(on: context)
      if metrics.hasLoss { throw ModelError.samplesNothing(checkpoint: loaded.path) }
      let dataset = try loaded.configuration.heldOutDataset(path: request.heldOut)
      return .autoencoder(
        loaded,
        Reconstructions(
          vae: vae, dataset: dataset, batch: request.sampling.batch, origin: loaded.origin,
          context: context))
    }
  }

  /// Opens the reference; nil where no metric compares with anything. Collective.
  private func reference(_ target: Target) throws -> ReferenceSource? {
    guard let first = request.metrics.metrics.first(where: { $0.referencePart != .none }) else {
      return nil
    }
    if let path = request.reference {
      return try communicator.agree { try ReferenceSource(path) }
    }
    guard let configuration = target.loaded?.configuration else {
      return try communicator.agree {
        throw EvaluationError.noReference(metric: first.rawValue, path: request.target)
      }
    }
    return ReferenceSource(
      try configuration.dataset(
        over: communicator,
        setting: "data.path of the run (name other images or statistics with --reference)"),
      path: configuration.data.summary)
  }

  /// The number of images per measurement. Throws where images will be missing in the end.
  private func checkedSamples(
    _ target: Target, _ evaluator: FeatureEvaluator, _ source: ReferenceSource?
  ) throws -> Int {
    try source?.check(evaluator)
    if request.metrics.metrics.isEmpty && !request.metrics.hasPSNR { return 0 }
    let samples = request.samples ?? target.imageCount.map { $0 / request.repeats } ?? 50_000
    if let count = target.imageCount {
      guard samples * request.repeats <= count, samples > 0 else {
        throw EvaluationError.fewerImages(
          path: name(target), found: count, needed: max(samples, 1) * request.repeats)
      }
    }
    try evaluator.require(samples, of: .samples)
    return samples
  }

  /// The names of a target's images in errors.
  private func name(_ target: Target) -> String {
    guard let data = target.loaded?.configuration.data else { return request.target }
    let heldOut = request.heldOut ?? data.validation
    return "held-out images of \(heldOut.isEmpty ? data.summary : heldOut)"
  }

  /// A report that says what is measured, without results.
  private func description(_ target: Target, samples: Int) throws -> EvaluationReport {
    var report = EvaluationReport(
      source: request.target, samples: samples, repeats: request.repeats)
    switch target {
    case .network(let loaded, let sampler):
      report.sampling = try SampleRecord(
        loaded, request.sampling.naming(classesOf: loaded), guide: sampler.guide)
      if samples > 0 {
        report.seeds = "\(request.seed)-\(request.seed + UInt64(samples * request.repeats) - 1)"
      }
    case .autoencoder: break
    case .images(let images):
      let record = SampleFolder(path: images.path).recordPath
      guard Files.kindIfPresent(images.path) == .folder, Files.kindIfPresent(record) != nil else {
        break
      }
      do {
        report.sampling = try SampleRecord(readingFile: record).withoutImages
      } catch {
        report.warnings.append("how the images were sampled is not known: \(error)")
      }
    }
    return report
  }
}

// MARK: - Measuring

extension EvaluateJob {
  /// The reference of each network's metrics. Collective.
  private func references(
    _ source: ReferenceSource?, _ evaluator: FeatureEvaluator
  ) throws -> [MetricReference] {
    guard let source else { return evaluator.networks.map { _ in .none } }
    return try withProgress("reference") { progress in
      try source.references(
        evaluator, mixedSizes: request.features.mixedSizes, over: communicator,
        progress: progress)
    }
  }

  /// Says how long sampling will take, where that is longer than finding it out. Collective.
  private func announceTime(
    _ target: Target, _ evaluator: FeatureEvaluator, samples: Int
  ) throws {
    let images = samples * request.repeats
    guard case .network(_, let sampler) = target, images > 8 * sampler.batch * communicator.size
    else { return }
    let own = try communicator.agree {
      let (seconds, some) = sampler.measureBatch()
      return seconds + (try evaluator.secondsPerImage(some))
    }
    let slowest = try communicator.reduce(own, .max)
    let share = Double((images + communicator.size - 1) / communicator.size)
    log.info(
      "\(images) samples\(request.samples == nil ? " (the default; --samples changes it)" : "") take"
        + " about \(Format.duration(slowest * share)), by the time of one batch of \(sampler.batch)"
    )
  }

  /// Accumulates the features of a target's images. Collective.
  ///
  /// - Parameters:
  ///   - range: which images, counted from the request's first seed or the first image, over all
  ///     ranks.
  ///   - title: what is added to the progress line.
  private func features(
    of target: Target, _ range: Range<Int>, _ evaluator: FeatureEvaluator, title: String
  ) throws -> [MetricAccumulator] {
    switch target {
    case .network(_, let sampler):
      let first = request.seed + UInt64(range.lowerBound)
      return try withProgress("sampling\(title)") { progress in
        try evaluator.accumulate(
          sampler, seeds: first..<first + UInt64(range.count), over: communicator,
          progress: progress)
      }
    case .autoencoder(_, let reconstructions):
      return try withProgress("reconstructing\(title)") { progress in
        try evaluator.accumulate(reconstructions, range, over: communicator, progress: progress)
      }
    case .images(let images):
      return try withProgress("images\(title)") { progress in
        try evaluator.accumulate(
          images, range, as: .samples, mixedSizes: request.features.mixedSizes,
          over: communicator, progress: progress)
      }
    }
  }

  /// The denoising loss on held-out images. Collective.
  private func heldOutLoss(
    _ loaded: LoadedModel, _ sampler: ImageSampler
  ) throws -> HeldOutLoss {
    let examples = try communicator.agree {
      try loaded.configuration.heldOutExamples(path: request.heldOut, latents: loaded.latents)
    }
    return try withProgress("held-out loss") { progress in
      try HeldOutLoss.measure(
        sampler.model, on: examples,
        count: min(request.samples ?? examples.count, examples.count), batch: sampler.batch,
        context: context, over: communicator, progress: progress)
    }
  }

  /// ` (2 of 5)` for the second of five measurements; empty for a single one.
  private func title(_ index: Int) -> String {
    request.repeats > 1 ? " (\(index + 1) of \(request.repeats))" : ""
  }

  /// Shows the progress of this rank's share while `body` runs.
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
