import Collectives
import Scores
import TensorCore

/// Accumulates the features of this rank's images for any number of metrics: every row where a
/// metric needs rows, sums where sums are enough.
///
/// Ranks hold contiguous shares of the images, the first rank the first images. So rows in the
/// order of ranks are in the order of images, and results do not depend on the number of ranks;
/// Frechet distances differ by the rounding of f64 sums.
package struct MetricAccumulator: Sendable {
  /// The metrics to compute.
  package let metrics: [Metric]
  /// Whether the images are samples or a reference.
  package let side: MetricSide
  /// The features to ask the extractor for.
  package var kinds: Set<FeatureKind> { Set(statistics.keys).union(rows.keys) }

  /// Number of this rank's images so far.
  package private(set) var count = 0
  /// Sums, for the kinds that Frechet distances need.
  package var statistics: [FeatureKind: FeatureStatistics] = [:]
  /// Rows, for the kinds that other metrics need.
  package var rows: [FeatureKind: FeatureMatrix] = [:]

  /// Starts without images.
  ///
  /// - Parameters:
  ///   - metrics: the metrics to compute.
  ///   - widths: what the feature network offers, `FeatureExtractor.widths`.
  ///   - side: a reference accumulates only what samples are compared with.
  /// - Throws: `MetricsError.missingFeatures` where the network lacks the features of a metric.
  package init(
    metrics: [Metric], widths: [FeatureKind: Int], side: MetricSide = .samples
  ) throws {
    (self.metrics, self.side) = (metrics, side)
    for metric in metrics where side == .samples || metric.referencePart != .none {
      guard let width = widths[metric.features] else {
        throw MetricsError.missingFeatures(
          metric: metric.rawValue, features: metric.features.rawValue,
          offered: FeatureKind.allCases.filter { widths[$0] != nil }.map(\.rawValue))
      }
      if metric.isFrechetDistance {
        statistics[metric.features] = FeatureStatistics(width: width)
      } else {
        rows[metric.features] = FeatureMatrix(width: width)
      }
    }
  }

  /// Adds the features of this rank's next images; kinds that no metric needs are ignored.
  ///
  /// - Throws: `MetricsError.nonFiniteFeature`, which counts this rank's images; nothing is added
  ///   then.
  package mutating func add(
    _ features: [FeatureKind: FeatureMatrix], on threads: ThreadPool
  ) throws {
    let wanted = FeatureKind.allCases.filter { kinds.contains($0) }
    let images = wanted.compactMap { features[$0]?.count }
    invariant(
      images.count == wanted.count && Set(images).count <= 1,
      "MetricAccumulator.add: features \(features.keys.map(\.rawValue).sorted()) of \(images)"
        + " images"
        + " for \(wanted.map(\.rawValue))")
    for kind in wanted {
      guard let place = features[kind]?.firstNonFiniteRow else { continue }
      throw MetricsError.nonFiniteFeature(features: kind.rawValue, row: count + place)
    }
    for kind in wanted {
      guard let matrix = features[kind] else { continue }
      statistics[kind]?.add(matrix, on: threads)
      rows[kind]?.append(matrix)
    }
    count += images.first ?? 0
  }

  /// The accumulated features as a reference. Collective, because sums are those of all ranks.
  ///
  /// - Throws: `tooFewImages`, agreed on; `CommunicationError`.
  package func reference(
    over communicator: any Communicator, on threads: ThreadPool
  ) throws -> MetricReference {
    MetricReference(
      statistics: try gaussians(over: communicator, on: threads), rows: rows,
      images: try communicator.sum(count))
  }

  /// Mean and covariance of all ranks' rows, for every kind that has sums. Collective.
  package func gaussians(
    over communicator: any Communicator, on threads: ThreadPool
  ) throws -> [FeatureKind: FeatureGaussian] {
    var gaussians: [FeatureKind: FeatureGaussian] = [:]
    for kind in FeatureKind.allCases {
      guard let sums = try statistics[kind]?.reduced(over: communicator, on: threads) else {
        continue
      }
      gaussians[kind] = try communicator.agree { try sums.gaussian(of: side, on: threads) }
    }
    return gaussians
  }
}

extension MetricAccumulator {
  /// All metrics of all ranks' images, the same on every rank. Collective.
  ///
  /// Sums are added over the ranks; distances, inception score and kernel distance are computed by
  /// the first rank, precision and recall by all.
  ///
  /// - Throws: `MetricsError`, agreed on by all ranks, so that they can leave together;
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
      if metric == .precisionRecall, let own = rows[metric.features],
        let others = reference.rows[metric.features]
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
        referenceImages: metric.referencePart == .none
          ? nil : reference.statistics[metric.features]?.count ?? reference.images,
        warnings: metric.isFrechetDistance
          ? [FrechetDistance.warning(images: images)].compactMap { $0 } : [])
    }
  }

  /// The numbers of a metric that only the first rank computes.
  private func value(
    of metric: Metric, _ gaussians: [FeatureKind: FeatureGaussian], _ gathered: GatheredRows,
    _ reference: MetricReference, _ options: MetricOptions, on threads: ThreadPool
  ) throws -> [Double] {
    if metric.features == .logits, let logits = gathered.samples[metric.features] {
      let parts = metric == .inceptionScore ? options.inceptionScore : .adm
      let score = try InceptionScore.of(logits, parts, on: threads)
      return [score.mean, score.deviation]
    }
    if metric == .kid, let rows = gathered.samples[metric.features],
      let others = gathered.reference[metric.features]
    {
      let distance = try KernelDistance.between(rows, others, options.kernelDistance, on: threads)
      return [distance.mean, distance.deviation]
    }
    guard let own = gaussians[metric.features],
      let other = reference.statistics[metric.features]
    else {
      throw MetricsError.missingReference(
        metric: metric.rawValue, features: metric.features.rawValue, part: metric.referencePart)
    }
    return [try FrechetDistance.between(own, other, on: threads)]
  }

  /// Checks, before anything is computed, that every metric can be computed.
  private func check(
    _ reference: MetricReference, images: Int, _ options: MetricOptions
  ) throws {
    for metric in metrics {
      try metric.require(images, of: .samples, options)
      guard metric.referencePart != .none else { continue }
      let (own, other): (Int?, Int?) =
        metric.referencePart == .rows
        ? (rows[metric.features]?.width, reference.rows[metric.features]?.width)
        : (statistics[metric.features]?.width, reference.statistics[metric.features]?.width)
      guard let own, let other else {
        throw MetricsError.missingReference(
          metric: metric.rawValue, features: metric.features.rawValue, part: metric.referencePart)
      }
      guard own == other else {
        throw MetricsError.widthMismatch(metric: metric.rawValue, samples: own, reference: other)
      }
      if let found = reference.statistics[metric.features]?.count ?? reference.images {
        try metric.require(found, of: .reference, options)
      }
    }
  }
}

/// All ranks' rows for metrics that only the first rank computes; only that rank holds them.
private struct GatheredRows {
  private(set) var samples: [FeatureKind: FeatureMatrix] = [:]
  private(set) var reference: [FeatureKind: FeatureMatrix] = [:]

  init(
    _ own: MetricAccumulator, _ other: MetricReference, over communicator: any Communicator
  ) throws(CommunicationError) {
    // What needs the same rows gathers them once.
    for metric in own.metrics where metric.features == .logits || metric == .kid {
      guard samples[metric.features] == nil else { continue }
      samples[metric.features] = try own.rows[metric.features]?.gathered(over: communicator)
      guard metric.referencePart == .rows else { continue }
      reference[metric.features] = try other.rows[metric.features]?.gathered(over: communicator)
    }
  }
}

extension Communicator {
  /// `count` numbers that the first rank computes and every rank gets. Collective.
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
