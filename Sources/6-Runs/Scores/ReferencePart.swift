/// The part of a reference that a metric compares samples with.
package enum ReferencePart: String, Sendable {
  /// Nothing: the metric is computed from samples only.
  case none
  /// Mean and covariance of the features.
  case statistics
  /// The features of every image.
  case rows
}
