import Scores

/// Statistics of a data set's features, and the network that made the features.
package struct ReferenceStatistics: Sendable, Equatable {
  /// The network of files that name none, such as EDM's and ADM's.
  package static let unnamedNetwork = "inception"

  /// Mean and covariance of each kind of feature.
  package var gaussians: [FeatureKind: FeatureGaussian]
  /// `FeatureExtractor.name` of the network; nil where a file does not say.
  package var network: String?
  /// `FeatureExtractor.digest` of the network; nil where a file does not say.
  package var digest: String?
  /// `FeatureExtractor.protocolName` of the network; nil where a file does not say.
  package var protocolName: String?

  /// Takes the parts as they are.
  package init(
    _ gaussians: [FeatureKind: FeatureGaussian], network: String? = nil, digest: String? = nil,
    protocolName: String? = nil
  ) {
    (self.gaussians, self.network) = (gaussians, network)
    (self.digest, self.protocolName) = (digest, protocolName)
  }

  /// Statistics of features that `extractor` makes.
  package init(
    _ gaussians: [FeatureKind: FeatureGaussian], madeBy extractor: some FeatureExtractor
  ) {
    self.init(
      gaussians, network: extractor.name, digest: extractor.digest,
      protocolName: extractor.protocolName)
  }

  /// Number of images that they are computed from; nil where a file does not say.
  package var count: Int? { gaussians.values.lazy.compactMap(\.count).first }

  /// Checks that features of `extractor` can be compared with these: the same network, weights,
  /// protocol and widths.
  ///
  /// - Parameter path: names the statistics in errors.
  /// - Throws: `ReferenceError`.
  package func check(
    against extractor: some FeatureExtractor, path: String
  ) throws {
    guard network ?? ReferenceStatistics.unnamedNetwork == extractor.name else {
      throw ReferenceError.otherNetwork(
        path: path,
        found: network ?? "\(ReferenceStatistics.unnamedNetwork) (the file does not say)",
        expected: extractor.name)
    }
    if let digest, digest != extractor.digest {
      throw ReferenceError.otherNetwork(
        path: path, found: "\(extractor.name) \(digest)",
        expected: "\(extractor.name) \(extractor.digest)")
    }
    if let protocolName, protocolName != extractor.protocolName {
      throw ReferenceError.otherProtocol(
        path: path, found: protocolName, expected: extractor.protocolName)
    }
    for kind in FeatureKind.allCases {
      guard let gaussian = gaussians[kind], let width = extractor.widths[kind] else { continue }
      guard gaussian.width == width else {
        throw ReferenceError.wrongWidth(
          path: path, key: ReferenceFile.meanKey(kind), found: gaussian.width, expected: width)
      }
    }
  }
}
