/// Why a metric cannot be computed. Each description is one line: what, found, expected, how to
/// mend it.
package enum MetricsError: Error, Equatable, Sendable {
  /// Fewer images than a metric is defined for; `side` says of which there are too few.
  case tooFewImages(metric: String, side: MetricSide, found: Int, needed: Int)
  /// Rows or statistics of samples and reference that are not equally wide.
  case widthMismatch(metric: String, samples: Int, reference: Int)
  /// A feature is infinite or not a number; `row` counts the rank's images from 0.
  case nonFiniteFeature(features: String, row: Int)
  /// Statistics with an infinite entry or one that is not a number.
  case nonFiniteStatistics(width: Int)
  /// A covariance that is not square with the mean's width.
  case covarianceShape(mean: Int, covariance: Int)
  /// The feature network does not have the features of a metric.
  case missingFeatures(metric: String, features: String, offered: [String])
  /// The reference lacks the part that a metric compares with.
  case missingReference(metric: String, features: String, part: ReferencePart)
}

/// Whose images they are.
package enum MetricSide: String, Sendable {
  /// The images that are measured.
  case samples
  /// The images that they are compared with.
  case reference
}

extension MetricsError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .tooFewImages(let metric, let side, let found, let needed):
      "\(metric): found \(found) \(side == .samples ? "samples" : "reference images"), expected at"
        + " least \(needed); "
        + (side == .samples ? "make more samples" : "use a reference of more images")
        + ", or leave \(metric) out"
    case .widthMismatch(let metric, let samples, let reference):
      "\(metric): samples have \(samples) features an image, the reference has \(reference);"
        + " make the reference with the same feature network"
    case .nonFiniteFeature(let features, let row):
      "features \(features) of image \(row) are not all finite; check the image and the feature"
        + " network's weights"
    case .nonFiniteStatistics(let width):
      "statistics of \(width) features are not all finite; make the reference again"
    case .covarianceShape(let mean, let covariance):
      "a covariance has \(covariance) elements, expected \(mean) x \(mean) for a mean of \(mean);"
        + " make the reference again"
    case .missingFeatures(let metric, let features, let offered):
      "\(metric) needs features \(features), the network offers \(offered.joined(separator: ", "));"
        + " choose another --features or leave \(metric) out"
    case .missingReference(let metric, let features, let part):
      "\(metric) needs \(part.rawValue) of features \(features), which the reference lacks;"
        + (part == .rows
          ? " use images as the reference instead of statistics" : " make the reference again")
        + ", or leave \(metric) out"
    }
  }
}
