/// Mean and covariance of features: what a Frechet distance needs and a reference file holds.
package struct FeatureGaussian: Sendable, Equatable {
  /// The mean, [width].
  package let mean: [Double]
  /// The covariance, [width, width], symmetric; divided by the number of images less one, as by
  /// `numpy.cov`.
  package let covariance: [Double]
  /// Number of images it was computed from; nil where a file does not say.
  package let count: Int?

  /// Number of features.
  package var width: Int { mean.count }

  /// Checks sizes and elements.
  ///
  /// - Throws: `MetricsError.covarianceShape`, `MetricsError.nonFiniteStatistics`.
  package init(mean: [Double], covariance: [Double], count: Int?) throws {
    guard !mean.isEmpty && covariance.count == mean.count * mean.count else {
      throw MetricsError.covarianceShape(mean: mean.count, covariance: covariance.count)
    }
    guard mean.allSatisfy(\.isFinite) && covariance.allSatisfy(\.isFinite) else {
      throw MetricsError.nonFiniteStatistics(width: mean.count)
    }
    (self.mean, self.covariance, self.count) = (mean, covariance, count)
  }

  /// The sum of the features' variances.
  var trace: Double {
    stride(from: 0, to: covariance.count, by: width + 1).reduce(0) { $0 + covariance[$1] }
  }

  /// The greatest possible rank of the covariance: N images span N - 1 dimensions.
  var largestRank: Int { min(width, (count ?? .max) - 1) }
}
