import Collectives
import TensorCore

extension MetricAccumulator {
  /// All metrics of all ranks' images, the same on every rank; collective.
  ///
  /// Sums are added over the ranks; distances, inception score and kernel distance are computed by the
  /// first rank, precision and recall by all.
  ///
  /// - Throws: what the metrics throw, agreed on by all ranks, so that they can leave together;
  ///   `CommunicationError`.
  package func results(
    against reference: MetricReference, _ options: MetricOptions = MetricOptions(),
    over communicator: any Communicator, on threads: ThreadPool
  ) throws -> [MetricResult] {
    let images = try communicator.sum(count)
    try communicator.agree { try check(reference, images: images, options) }
    let gaussians = try gaussians(over: communicator, on: threads)
    let gathered = try GatheredRows(self, reference, over: communicator)
    return try metrics.map { metric in
      let values: [Double]
      if metric == .precisionRecall, let own = rows[metric.tap],
        let others = reference.rows[metric.tap]
      {
        let result = try PrecisionRecall.of(
          samples: own, reference: others, neighbours: options.neighbours, over: communicator,
          on: threads)
        values = [result.precision, result.recall]
      } else {
        values = try communicator.onFirstRank(count: metric.valueNames.count) {
          try value(of: metric, gaussians, gathered, reference, options, on: threads)
        }
      }
      return MetricResult(
        metric: metric, values: values, images: images,
        referenceImages: metric.need == .none
          ? nil : reference.statistics[metric.tap]?.count ?? reference.images,
        warnings: metric.isFrechetDistance
          ? [FrechetDistance.warning(images: images)].compactMap { $0 } : [])
    }
  }

  /// What only one rank computes.
  private func value(
    of metric: Metric, _ gaussians: [FeatureTap: FeatureGaussian], _ gathered: GatheredRows,
    _ reference: MetricReference, _ options: MetricOptions, on threads: ThreadPool
  ) throws -> [Double] {
    if metric.tap == .logits, let logits = gathered.samples[metric.tap] {
      let parts = metric == .inceptionScore ? options.inceptionScore : .adm
      let score = try InceptionScore.of(logits, parts, on: threads)
      return [score.mean, score.deviation]
    }
    if metric == .kid, let rows = gathered.samples[metric.tap],
      let others = gathered.reference[metric.tap]
    {
      let distance = try KernelDistance.between(rows, others, options.kernelDistance, on: threads)
      return [distance.mean, distance.deviation]
    }
    guard let own = gaussians[metric.tap], let other = reference.statistics[metric.tap] else {
      throw MetricsError.missingReference(
        metric: metric.rawValue, tap: metric.tap.rawValue, need: metric.need)
    }
    return [try FrechetDistance.between(own, other, on: threads)]
  }

  /// Whether every metric can be had, before anything is computed.
  private func check(
    _ reference: MetricReference, images: Int, _ options: MetricOptions
  ) throws {
    for metric in metrics {
      try metric.require(images, of: .samples, options)
      guard metric.need != .none else { continue }
      let (own, other): (Int?, Int?) =
        metric.need == .rows
        ? (rows[metric.tap]?.width, reference.rows[metric.tap]?.width)
        : (statistics[metric.tap]?.width, reference.statistics[metric.tap]?.width)
      guard let own, let other else {
        throw MetricsError.missingReference(
          metric: metric.rawValue, tap: metric.tap.rawValue, need: metric.need)
      }
      guard own == other else {
        throw MetricsError.widthMismatch(metric: metric.rawValue, samples: own, reference: other)
      }
      if let found = reference.statistics[metric.tap]?.count ?? reference.images {
        try metric.require(found, of: .reference, options)
      }
    }
  }
}

/// All ranks' rows where only the first rank computes: held by it alone, and only what it needs.
private struct GatheredRows {
  private(set) var samples: [FeatureTap: FeatureMatrix] = [:]
  private(set) var reference: [FeatureTap: FeatureMatrix] = [:]

  init(
    _ own: MetricAccumulator, _ other: MetricReference, over communicator: any Communicator
  ) throws(CommunicationError) {
    // What needs the same rows gathers them once.
    for metric in own.metrics where metric.tap == .logits || metric == .kid {
      guard samples[metric.tap] == nil else { continue }
      samples[metric.tap] = try own.rows[metric.tap]?.gathered(over: communicator)
      guard metric.need == .rows else { continue }
      reference[metric.tap] = try other.rows[metric.tap]?.gathered(over: communicator)
    }
  }
}

extension Communicator {
  /// `count` numbers that the first rank computes and all get.
  fileprivate func onFirstRank(
    count: Int, _ body: () throws -> [Double]
  ) throws(CommunicationError) -> [Double] {
    var values = try agree { rank == 0 ? try body() : [Double](repeating: 0, count: count) }
    let status = values.withUnsafeMutableBytes { bytes in
      Result { () throws(CommunicationError) in try broadcast(bytes, from: 0) }
    }
    try status.get()
    return values
  }
}
