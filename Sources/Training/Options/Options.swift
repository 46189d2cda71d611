/// What the commands of the program are asked to do. Each struct holds the flags of one command as
/// given: in range, but not yet compared with any file.

/// `diffit parity`.
public struct ParityOptions: Equatable, Sendable {
  /// A safetensors file made by `make_golden.py`.
  public let golden: String
  public let precision: TrainSettings.Precision
  /// 0: one a core.
  public let threads: Int
  /// Largest relative error that passes.
  public let tolerance: Double
  /// A file for the results; `-`: standard output.
  public let json: String?

  /// - Parameter tolerance: nil: 1e-4 for fp32, 3e-2 for bf16.
  public init(
    golden: String, precision: TrainSettings.Precision = .fp32, threads: Int = 0,
    tolerance: Double? = nil, json: String? = nil
  ) throws(ConfigurationError) {
    try require(threads >= 0, "--threads", threads, expected: "0 (one a core) or more")
    let isTolerance = tolerance.map { $0 > 0 && $0.isFinite } ?? true
    try require(isTolerance, "--tolerance", tolerance ?? 0, expected: "a number above 0")
    self.golden = golden
    self.precision = precision
    self.threads = threads
    self.tolerance = tolerance ?? (precision == .fp32 ? 1e-4 : 3e-2)
    self.json = json
  }
}

/// `diffit bench`.
public struct BenchOptions: Equatable, Sendable {
  /// Nil: the defaults.
  public let config: String?
  /// `KEY=VALUE` texts, in order.
  public let overrides: [String]
  /// Nil: `train.precision`.
  public let precision: TrainSettings.Precision?
  /// Nil: `train.threads`.
  public let threads: Int?
  /// Images a training step.
  public let batch: Int
  /// Images to train on while the clock runs; rounded up to whole steps.
  public let images: Int
  /// A file for the results; `-`: standard output.
  public let json: String?

  public init(
    config: String? = nil, overrides: [String] = [], precision: TrainSettings.Precision? = nil,
    threads: Int? = nil, batch: Int = 32, images: Int = 160, json: String? = nil
  ) throws(ConfigurationError) {
    try require(threads ?? 1 >= 1, "--threads", threads ?? 1, expected: "1 or more")
    try require(batch >= 1, "--batch", batch, expected: "1 or more")
    try require(images >= 1, "--images", images, expected: "1 or more")
    self.config = config
    self.overrides = overrides
    self.precision = precision
    self.threads = threads
    self.batch = batch
    self.images = images
    self.json = json
  }

  /// The configuration with the options in it, read and validated. A micro-batch larger than `batch` is
  /// lowered to it.
  public func configuration() throws(ConfigurationError) -> Configuration {
    let asked = precision.map { ["train.precision=\($0)"] } ?? []
    var configuration = try Configuration(file: config, overrides: overrides + asked)
    configuration.train.batch = batch
    configuration.train.microBatch = min(configuration.train.microBatch, batch)
    if let threads { configuration.train.threads = threads }
    try configuration.validate()
    return configuration
  }
}

/// `diffit inspect`.
public struct InspectOptions: Equatable, Sendable {
  /// A checkpoint, a run or a safetensors file.
  public var path: String
  /// A file for the results; `-`: standard output.
  public var json: String?

  public init(path: String, json: String? = nil) {
    self.path = path
    self.json = json
  }
}

/// `diffit export`.
public struct ExportOptions: Equatable, Sendable {
  /// A checkpoint, or a run: its newest good checkpoint.
  public var checkpoint: String
  public var output: String
  /// The average to write. Nil: the weights themselves.
  public var ema: String?

  public init(checkpoint: String, output: String, ema: String? = nil) {
    self.checkpoint = checkpoint
    self.output = output
    self.ema = ema
  }
}

/// `diffit doctor`.
public struct DoctorOptions: Equatable, Sendable {
  /// A file for the results; `-`: standard output.
  public let json: String?

  public init(json: String? = nil) { self.json = json }
}

func require(
  _ holds: Bool, _ option: String, _ found: some Any, expected: String
) throws(ConfigurationError) {
  if !holds { throw .badOption(option: option, found: "\(found)", expected: expected) }
}
