import FileFormats
import Images
import Scores
import TensorCore

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
