/// What `evaluate` and `data stats` have in common: how images become features.
public struct MeasuringOptions: Equatable, Sendable {
  public enum Features: Equatable, Sendable {
    case builtin
    /// The Inception network's weights, a safetensors file of 472 tensors.
    case inception(String)

    public init(_ text: String) { self = text == "builtin" ? .builtin : .inception(text) }
  }

  public let features: Features
  /// How images are brought to the network's input: `tf1`, `clean` or `pytorch-fid`.
  public let protocolName: String
  /// Images whose sizes differ are taken, each resized on its own.
  public let mixedSizes: Bool
  /// Images whose features are computed at once, a rank.
  public let batch: Int

  public init(
    features: String = "builtin", protocolName: String = "tf1", mixedSizes: Bool = false,
    batch: Int = 16
  ) throws(ConfigurationError) {
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

  public static let protocols = ["tf1", "clean", "pytorch-fid"]
}

/// `diffit evaluate`.
public struct EvaluateOptions: Equatable, Sendable {
  /// A run, a checkpoint, a folder of images, or a .npz or .zip file.
  public let target: String
  /// Images or statistics. Nil: the images that the run was trained on.
  public let reference: String?
  /// Held-out images for `loss`. Nil: those of the run.
  public let heldOut: String?
  public let metrics: [String]
  /// Images to draw, or to take of those there are. Nil: 50,000 drawn, all there are.
  public let samples: Int?
  /// The first seed to draw.
  public let seed: UInt64
  /// Measurements on as many ranges of seeds, or of images.
  public let repeats: Int
  public let measuring: MeasuringOptions
  public let drawing: DrawingOptions
  /// A file for the results; `-`: standard output.
  public let json: String?

  /// - Throws: `ConfigurationError`; see `DrawingOptions`.
  public init(
    target: String, reference: String? = nil, heldOut: String? = nil, metrics: String,
    samples: Int? = nil, seed: UInt64 = 0, repeats: Int = 1, measuring: MeasuringOptions,
    drawing: DrawingOptions, json: String? = nil
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

/// `diffit data stats`.
public struct StatisticsOptions: Equatable, Sendable {
  /// A data set, a folder of images, or a .npz or .zip file.
  public let data: String
  /// The .npz file to write.
  public let output: String
  /// Images to take. Nil: all.
  public let samples: Int?
  public let measuring: MeasuringOptions

  public init(
    data: String, output: String, samples: Int? = nil, measuring: MeasuringOptions
  ) throws(ConfigurationError) {
    try require(samples ?? 1 >= 1, "--samples", samples ?? 1, expected: "1 or more")
    try require(output.hasSuffix(".npz"), "--out", output, expected: "a file ending in .npz")
    (self.data, self.output, self.samples) = (data, output, samples)
    self.measuring = measuring
  }
}
