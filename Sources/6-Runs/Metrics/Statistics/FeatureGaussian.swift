/// Mean and covariance of features: all that a Frechet distance needs, and what a reference file holds.
package struct FeatureGaussian: Sendable, Equatable {
  /// [width]
  package let mean: [Double]
  /// [width, width], symmetric, divided by the number of images less one (as `numpy.cov`).
  package let covariance: [Double]
  /// Images it was made of; nil where a file does not say.
  package let count: Int?

  package var width: Int { mean.count }

  /// - Throws: `covarianceShape`, `nonFiniteStatistics`.
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

  /// What the covariance's rank cannot exceed: N images span N - 1 dimensions.
  var largestRank: Int { min(width, (count ?? .max) - 1) }
}
