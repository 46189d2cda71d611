/// What samples are compared with: statistics of a data set's features, and which network made them.
package struct ReferenceStatistics: Sendable, Equatable {
  /// What a file without a name is taken to be made by: EDM's and ADM's are.
  package static let unnamedNetwork = "inception"

  package var gaussians: [FeatureTap: FeatureGaussian]
  /// `FeatureExtractor.name`, `.digest` and `.protocolName`; nil where a file does not say.
  package var network: String?
  package var digest: String?
  package var protocolName: String?

  package init(
    _ gaussians: [FeatureTap: FeatureGaussian], network: String? = nil, digest: String? = nil,
    protocolName: String? = nil
  ) {
    (self.gaussians, self.network) = (gaussians, network)
    (self.digest, self.protocolName) = (digest, protocolName)
  }

  /// Statistics of features that `extractor` makes.
  package init(
    _ gaussians: [FeatureTap: FeatureGaussian], madeBy extractor: some FeatureExtractor
  ) {
    self.init(
      gaussians, network: extractor.name, digest: extractor.digest,
      protocolName: extractor.protocolName)
  }

  /// Images they are made of; nil where a file does not say.
  package var count: Int? { gaussians.values.lazy.compactMap(\.count).first }

  /// Refuses what features of `extractor` cannot be compared with: another network, other weights,
  /// another protocol, other widths.
  ///
  /// - Parameter path: where the statistics come from.
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
    for tap in FeatureTap.allCases {
      guard let gaussian = gaussians[tap], let width = extractor.widths[tap] else { continue }
      guard gaussian.width == width else {
        throw ReferenceError.wrongWidth(
          path: path, key: ReferenceFile.meanKey(tap), found: gaussian.width, expected: width)
      }
    }
  }
}
