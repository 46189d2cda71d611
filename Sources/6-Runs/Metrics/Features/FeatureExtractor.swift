import FileFormats
import TensorCore

/// A place in a feature network whose values a metric is made of.
package enum FeatureTap: String, CaseIterable, Sendable {
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

/// Turns images into rows of numbers. A row depends on its image alone, neither on the batch nor on
/// the number of threads.
package protocol FeatureExtractor: Sendable {
  /// What a result names the network: `inception` or `builtin`.
  var name: String { get }
  /// Tells networks apart: statistics of another digest cannot be compared.
  var digest: String { get }
  /// How images are brought to the network's input; part of what a result names.
  var protocolName: String { get }
  /// What the network offers, with the width of each row.
  var widths: [FeatureTap: Int] { get }

  /// Features of a few images, whose sizes may differ.
  ///
  /// - Returns: for each of `taps` [images.count, widths[tap]], f32.
  func features(
    of images: [RGBImage], taps: Set<FeatureTap>, on context: ComputeContext
  ) -> [FeatureTap: FeatureMatrix]
}
