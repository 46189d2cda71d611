import Scores

/// The reference that samples are compared with: what all metrics of one feature network need.
package struct MetricReference: Sendable {
  /// Mean and covariance of the features of all reference images, the same on every rank.
  package var statistics: [FeatureKind: FeatureGaussian]
  /// The features of this rank's share of the reference images, `Communicator.share`.
  package var rows: [FeatureKind: FeatureMatrix]
  /// Number of reference images over all ranks; nil where a file does not say.
  package var images: Int?

  /// Takes the parts as they are.
  package init(
    statistics: [FeatureKind: FeatureGaussian] = [:], rows: [FeatureKind: FeatureMatrix] = [:],
    images: Int? = nil
  ) {
    (self.statistics, self.rows, self.images) = (statistics, rows, images)
  }

  /// Nothing to compare with, for metrics that need only samples.
  package static let none = MetricReference()
}
