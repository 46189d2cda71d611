/// Why a metric cannot be had. Each description is one line: what, found, expected, how to mend it.
package enum MetricsError: Error, Equatable, Sendable {
  /// Fewer images than a metric is defined for; `side` is what there are too few of.
  case tooFewImages(metric: String, side: MetricSide, found: Int, needed: Int)
  /// Rows or statistics of samples and reference that are not equally wide.
  case widthMismatch(metric: String, samples: Int, reference: Int)
  /// A feature is infinite or not a number; `row` counts the rank's images from 0.
  case nonFiniteFeature(tap: String, row: Int)
  /// Statistics with an infinite entry or one that is not a number.
  case nonFiniteStatistics(width: Int)
  /// A covariance that is not square with the mean's width.
  case covarianceShape(mean: Int, covariance: Int)
  /// The feature network lacks what a metric is made of.
  case missingTap(metric: String, tap: String, offered: [String])
  /// The reference lacks what a metric is compared with.
  case missingReference(metric: String, tap: String, need: ReferenceNeed)
  /// No metric has this name.
  case unknownMetric(name: String)
}

/// Whose images.
package enum MetricSide: String, Sendable {
  case samples
  case reference
}

extension MetricsError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .tooFewImages(let metric, let side, let found, let needed):
      "\(metric): found \(found) \(side == .samples ? "samples" : "reference images"), expected at"
        + " least \(needed); "
        + (side == .samples ? "draw more samples" : "use a reference of more images")
        + ", or leave \(metric) out"
    case .widthMismatch(let metric, let samples, let reference):
      "\(metric): samples have \(samples) features an image, the reference has \(reference);"
        + " make the reference with the same feature network"
    case .nonFiniteFeature(let tap, let row):
      "features \(tap) of image \(row) are not all finite; check the image and the feature network's"
        + " weights"
    case .nonFiniteStatistics(let width):
      "statistics of \(width) features are not all finite; make the reference again"
    case .covarianceShape(let mean, let covariance):
      "a covariance has \(covariance) elements, expected \(mean) x \(mean) for a mean of \(mean);"
        + " make the reference again"
    case .missingTap(let metric, let tap, let offered):
      "\(metric) needs features \(tap), the network offers \(offered.joined(separator: ", "));"
        + " choose another --features or leave \(metric) out"
    case .missingReference(let metric, let tap, let need):
      "\(metric) needs \(need.rawValue) of features \(tap), which the reference lacks;"
        + (need == .rows
          ? " use images as the reference instead of statistics" : " make the reference again")
        + ", or leave \(metric) out"
    case .unknownMetric(let name):
      "no metric is called \(name); expected one of "
        + Metric.allCases.map(\.rawValue).joined(separator: ", ")
    }
  }
}
