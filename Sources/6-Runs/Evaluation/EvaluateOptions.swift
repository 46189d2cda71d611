import CommandSupport
import Sampling

/// `diffit evaluate`.
package struct EvaluateOptions: Equatable, Sendable {
  /// A run, a checkpoint, a folder of images, or a .npz or .zip file.
  package let target: String
  /// Images or statistics. Nil: the images that the run was trained on.
  package let reference: String?
  /// Held-out images for `loss`. Nil: those of the run.
  package let heldOut: String?
  package let metrics: [String]
  /// Images to draw, or to take of those there are. Nil: 50,000 drawn, all there are.
  package let samples: Int?
  /// The first seed to draw.
  package let seed: UInt64
  /// Measurements on as many ranges of seeds, or of images.
  package let repeats: Int
  package let measuring: FeatureOptions
  package let drawing: SamplingOptions
  /// A file for the results; `-`: standard output.
  package let json: String?

  /// - Throws: `ConfigurationError`; see `SamplingOptions`.
  package init(
    target: String, reference: String? = nil, heldOut: String? = nil, metrics: String,
    samples: Int? = nil, seed: UInt64 = 0, repeats: Int = 1, measuring: FeatureOptions,
    drawing: SamplingOptions, json: String? = nil
  ) throws {
    try require(
      samples.map { (1...1_000_000_000).contains($0) } ?? true, "--samples", samples ?? 0,
      expected: "1 to 1000000000")
    try require((1...1000).contains(repeats), "--repeats", repeats, expected: "1 to 1000")
    let names = metrics.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    try require(
      Set(names).count == names.count, "--metrics", metrics, expected: "each metric once")
    self.target = target
    self.reference = reference
    self.heldOut = heldOut
    self.metrics = names
    self.samples = samples
    self.seed = seed
    self.repeats = repeats
    self.measuring = measuring
    self.drawing = drawing
    self.json = json
  }
}
