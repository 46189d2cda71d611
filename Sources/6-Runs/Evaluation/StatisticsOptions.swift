import CommandSupport

/// What `diffit data stats` is asked to do.
package struct StatisticsOptions: Equatable, Sendable {
  /// A data set, a folder of images, or a .npz or .zip file.
  package let data: String
  /// The .npz file to write.
  package let output: String
  /// The first so many images are taken. Nil: all.
  package let samples: Int?
  /// How images become features.
  package let features: FeatureOptions

  /// Checks the options.
  ///
  /// - Throws: `OptionError`, which names the option. It is not declared as the type, because Swift
  ///   6.3 in release then takes a result of this size for an error.
  package init(
    data: String, output: String, samples: Int? = nil, features: FeatureOptions
  ) throws {
    try require(samples ?? 1 >= 1, "--samples", samples ?? 1, expected: "1 or more")
    try require(output.hasSuffix(".npz"), "--out", output, expected: "a file ending in .npz")
    (self.data, self.output, self.samples) = (data, output, samples)
    self.features = features
  }
}
