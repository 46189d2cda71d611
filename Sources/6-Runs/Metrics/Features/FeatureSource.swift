/// The feature networks that a measurement may use.
package enum FeatureSource: Equatable, Sendable {
  /// Only the built-in random network, which needs no file.
  case builtin
  /// Also FID's Inception network, whose weights are in this safetensors file of 472 tensors.
  case inception(weights: String)

  /// Reads `builtin` or the path of Inception's weights, as `--features` and `metrics.features`
  /// give it.
  package init(_ text: String) { self = text == "builtin" ? .builtin : .inception(weights: text) }
}
