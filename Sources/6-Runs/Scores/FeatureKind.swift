/// A kind of feature: the place in a feature network from which a metric takes its values.
package enum FeatureKind: String, CaseIterable, Sendable {
  /// Inception, after the first max pool, averaged over the image.
  case pool64 = "64"
  /// Inception, after the second max pool, averaged over the image.
  case pool192 = "192"
  /// Inception, after Mixed_6e, averaged over the image.
  case mixed768 = "768"
  /// Inception, the final average pool.
  case pool2048 = "2048"
  /// Inception, `Mixed_6d.branch1x1` after ReLU: channels 0 to 6 of 17 x 17, flattened as NHWC.
  case spatial2023 = "spatial"
  /// Inception, the classifier's product without its bias, 1008 classes.
  case logits
  /// The features of the built-in random network.
  case random
}
