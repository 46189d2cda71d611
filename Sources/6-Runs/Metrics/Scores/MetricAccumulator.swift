import Collectives
import TensorCore

/// What one pass over images leaves behind for any number of metrics: rows where a metric needs them,
/// sums where they are enough.
///
/// Ranks hold contiguous shares of the images, the first rank the first ones, so that rows in the order
/// of ranks are in the order of images and results do not depend on the number of ranks: not at all for
/// rows, by the rounding of f64 sums for Frechet distances.
package struct MetricAccumulator: Sendable {
  package let metrics: [Metric]
  package let side: MetricSide
  /// Features to ask the extractor for.
  package var taps: Set<FeatureTap> { Set(statistics.keys).union(rows.keys) }

  /// This rank's images so far.
  package private(set) var count = 0
  package var statistics: [FeatureTap: FeatureStatistics] = [:]
  package var rows: [FeatureTap: FeatureMatrix] = [:]

  /// - Parameters:
  ///   - metrics: what is to be computed.
  ///   - widths: what the feature network offers (`FeatureExtractor.widths`).
  ///   - side: a reference takes up only what samples are compared with.
  /// - Throws: `missingTap` where the network lacks what a metric is made of.
  package init(
    metrics: [Metric], widths: [FeatureTap: Int], side: MetricSide = .samples
  ) throws {
    (self.metrics, self.side) = (metrics, side)
    for metric in metrics where side == .samples || metric.need != .none {
      guard let width = widths[metric.tap] else {
        throw MetricsError.missingTap(
          metric: metric.rawValue, tap: metric.tap.rawValue,
          offered: FeatureTap.allCases.filter { widths[$0] != nil }.map(\.rawValue))
      }
      if metric.isFrechetDistance {
        statistics[metric.tap] = FeatureStatistics(width: width)
      } else {
        rows[metric.tap] = FeatureMatrix(width: width)
      }
    }
  }

  /// Takes up the features of this rank's next images; those of other taps are left alone.
  ///
  /// - Throws: `nonFiniteFeature`, which counts this rank's images; nothing is taken up then.
  package mutating func add(
    _ features: [FeatureTap: FeatureMatrix], on threads: ThreadPool
  ) throws {
    let wanted = FeatureTap.allCases.filter { taps.contains($0) }
    let images = wanted.compactMap { features[$0]?.count }
    invariant(
      images.count == wanted.count && Set(images).count <= 1,
      "MetricAccumulator.add: features \(features.keys.map(\.rawValue).sorted()) of \(images) images"
        + " for \(wanted.map(\.rawValue))")
    for tap in wanted {
      guard let place = features[tap]?.firstNonFiniteRow else { continue }
      throw MetricsError.nonFiniteFeature(tap: tap.rawValue, row: count + place)
    }
    for tap in wanted {
      guard let matrix = features[tap] else { continue }
      statistics[tap]?.add(matrix, on: threads)
      rows[tap]?.append(matrix)
    }
    count += images.first ?? 0
  }

  /// What was taken up as something to compare with; collective, because sums are those of all ranks.
  ///
  /// - Throws: `tooFewImages`, agreed on; `CommunicationError`.
  package func reference(
    over communicator: any Communicator, on threads: ThreadPool
  ) throws -> MetricReference {
    MetricReference(
      statistics: try gaussians(over: communicator, on: threads), rows: rows,
      images: try communicator.sum(count))
  }

  /// Mean and covariance of all ranks' rows for every tap that has sums; collective.
  package func gaussians(
    over communicator: any Communicator, on threads: ThreadPool
  ) throws -> [FeatureTap: FeatureGaussian] {
    var gaussians: [FeatureTap: FeatureGaussian] = [:]
    for tap in FeatureTap.allCases {
      guard let sums = try statistics[tap]?.reduced(over: communicator, on: threads) else {
        continue
      }
      gaussians[tap] = try communicator.agree { try sums.gaussian(of: side, on: threads) }
    }
    return gaussians
  }
}

/// What samples are compared with.
package struct MetricReference: Sendable {
  /// Of all images, the same on every rank.
  package var statistics: [FeatureTap: FeatureGaussian]
  /// This rank's contiguous share of the images; where every rank has read the same file, `share` cuts it.
  package var rows: [FeatureTap: FeatureMatrix]
  /// Of all ranks; nil where a file does not say.
  package var images: Int?

  package init(
    statistics: [FeatureTap: FeatureGaussian] = [:], rows: [FeatureTap: FeatureMatrix] = [:],
    images: Int? = nil
  ) {
    (self.statistics, self.rows, self.images) = (statistics, rows, images)
  }

  /// Nothing to compare with, for metrics of samples alone.
  package static let none = MetricReference()

  /// The rows of rank `rank` of `ranks`, of rows that every rank holds: contiguous, and as many on each
  /// but for one.
  package static func share(_ rows: FeatureMatrix, rank: Int, of ranks: Int) -> FeatureMatrix {
    rows.rows(rows.count * rank / ranks..<rows.count * (rank + 1) / ranks)
  }
}
