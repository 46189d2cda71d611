import CommandSupport

/// `diffit data stats`.
package struct StatisticsOptions: Equatable, Sendable {
  /// A data set, a folder of images, or a .npz or .zip file.
  package let data: String
  /// The .npz file to write.
  package let output: String
  /// Images to take. Nil: all.
  package let samples: Int?
  package let measuring: FeatureOptions

  package init(
    data: String, output: String, samples: Int? = nil, measuring: FeatureOptions
  ) throws(OptionError) {
    try require(samples ?? 1 >= 1, "--samples", samples ?? 1, expected: "1 or more")
    try require(output.hasSuffix(".npz"), "--out", output, expected: "a file ending in .npz")
    (self.data, self.output, self.samples) = (data, output, samples)
    self.measuring = measuring
  }
}
