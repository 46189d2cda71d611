import CommandSupport
import Metrics

/// What `evaluate` and `data stats` have in common: how images become features.
package struct FeatureOptions: Equatable, Sendable {
  package enum Features: Equatable, Sendable {
    case builtin
    /// The Inception network's weights, a safetensors file of 472 tensors.
    case inception(String)

    package init(_ text: String) { self = text == "builtin" ? .builtin : .inception(text) }
  }

  package let features: Features
  /// How images are brought to the network's input: `tf1`, `clean` or `pytorch-fid`.
  package let protocolName: String
  /// Images whose sizes differ are taken, each resized on its own.
  package let mixedSizes: Bool
  /// Images whose features are computed at once, a rank.
  package let batch: Int

  package init(
    features: String = "builtin", protocolName: String = "tf1", mixedSizes: Bool = false,
    batch: Int = 16
  ) throws(OptionError) {
    try require(
      !features.isEmpty, "--features", "\"\"", expected: "builtin, or a file of Inception weights")
    try require(
      Self.protocols.contains(protocolName), "--protocol", protocolName,
      expected: Self.protocols.joined(separator: ", "))
    try require(batch >= 1, "--batch", batch, expected: "1 or more")
    self.features = Features(features)
    self.protocolName = protocolName
    self.mixedSizes = mixedSizes
    self.batch = batch
  }

  package static let protocols = ResizeProtocol.allCases.map(\.rawValue)
}

extension FeatureOptions.Features {
  package var path: String? {
    switch self {
    case .builtin: nil
    case .inception(let path): path
    }
  }
}
