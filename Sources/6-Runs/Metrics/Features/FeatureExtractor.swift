import FileFormats
import TensorCore

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

/// Turns images into features, one row of numbers per image. A row depends only on its image:
/// neither on the batch nor on the number of threads.
package protocol FeatureExtractor: Sendable {
  /// The network's name in results: `inception` or `builtin`.
  var name: String { get }
  /// Digest of the weights: statistics with another digest cannot be compared.
  var digest: String { get }
  /// How images are brought to the network's input; a result states it.
  var protocolName: String { get }
  /// The kinds of features that the network has, and the width of their rows.
  var widths: [FeatureKind: Int] { get }

  /// Features of a few images, whose sizes may differ.
  ///
  /// - Returns: for each of `kinds` [images.count, widths[kind]], f32.
  func features(
    of images: [RGBImage], kinds: Set<FeatureKind>, on context: ComputeContext
  ) -> [FeatureKind: FeatureMatrix]
}
