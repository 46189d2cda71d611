import CommandSupport
import Images
import Metrics
import Sampling

/// What `diffit evaluate` is asked to do: what is measured, with which metrics, and how its images
/// are made.
package struct EvaluationRequest: Equatable, Sendable {
  /// What is measured: a run, a checkpoint, an export, a folder of images, or a .npz or .zip file.
  package let target: String
  /// A file of settings that names the network of a safetensors file. Nil: the file's metadata do.
  package let config: String?
  /// Images or statistics that samples are compared with. Nil: the images that the run was trained
  /// on.
  package let reference: String?
  /// Held-out images for `loss` and for autoencoders. Nil: those of the run, `data.validation`.
  package let heldOut: String?
  /// The metrics, checked.
  package let metrics: MetricSelection
  /// Images per measurement. Nil: 50,000 of a network, or all that there are.
  package let samples: Int?
  /// The first seed that is sampled.
  package let seed: UInt64
  /// How many measurements are made, on consecutive ranges of seeds or of images.
  package let repeats: Int
  /// How images become features.
  package let features: FeatureOptions
  /// How a network's images are sampled.
  package let sampling: SamplingOptions
  /// A file for the report as JSON; `-`: standard output.
  package let json: String?

  /// Checks everything that can be checked without opening a file.
  ///
  /// - Parameter metrics: names separated by commas.
  /// - Throws: `OptionError`, which names the option. It is not declared as the type, because Swift
  ///   6.3 in release then takes a result of this size for an error.
  package init(
    target: String, config: String? = nil, reference: String? = nil, heldOut: String? = nil,
    metrics: String, samples: Int? = nil, seed: UInt64 = 0, repeats: Int = 1,
    features: FeatureOptions,
    sampling: SamplingOptions, json: String? = nil
  ) throws {
    try sampling.validate()
    try require(
      samples.map { (1...1_000_000_000).contains($0) } ?? true, "--samples", samples ?? 0,
      expected: "1 to 1000000000")
    try require((1...1000).contains(repeats), "--repeats", repeats, expected: "1 to 1000")
    try require(seed < 1 << 63, "--seed", seed, expected: "0 to 9223372036854775807")
    let names = metrics.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    do throws(MetricSelection.Problem) {
      self.metrics = try MetricSelection(names, features: features.source)
    } catch {
      throw OptionError(option: "--metrics", found: error.found, expected: error.expected)
    }
    (self.target, self.config) = (target, config)
    self.reference = reference
    self.heldOut = heldOut
    self.samples = samples
    self.seed = seed
    self.repeats = repeats
    self.features = features
    self.sampling = sampling
    self.json = json
  }
}

/// How images become features: the options that `evaluate` and `data stats` share.
package struct FeatureOptions: Equatable, Sendable {
  /// Which feature networks there are.
  package let source: FeatureSource
  /// How images are brought to the input of Inception.
  package let resize: ResizeProtocol
  /// Whether images of different sizes are taken, each resized on its own.
  package let mixedSizes: Bool
  /// Images whose features each rank computes at once; bounds the memory.
  package let batch: Int

  /// Checks the options.
  ///
  /// - Parameters:
  ///   - features: `builtin`, or the file of Inception's weights.
  ///   - protocolName: `tf1`, `clean` or `pytorch-fid`.
  /// - Throws: `OptionError`, which names the option.
  package init(
    features: String = "builtin", protocolName: String = "tf1", mixedSizes: Bool = false,
    batch: Int = 16
  ) throws {
    try require(
      !features.isEmpty, "--features", "\"\"", expected: "builtin, or a file of Inception weights")
    try require((1...65_536).contains(batch), "--batch", batch, expected: "1 to 65536")
    guard let resize = ResizeProtocol(rawValue: protocolName) else {
      throw OptionError(
        option: "--protocol", found: protocolName,
        expected: ResizeProtocol.allCases.map(\.rawValue).joined(separator: ", "))
    }
    (source, self.resize) = (FeatureSource(features), resize)
    (self.mixedSizes, self.batch) = (mixedSizes, batch)
  }
}
