/// What the commands of the program are asked to do. Each struct holds the flags of one command as
/// given: in range, but not yet compared with any file.

/// `diffit train`.
public struct TrainOptions: Equatable, Sendable {
  public enum Resume: Equatable, Sendable {
    /// From the newest good checkpoint of the run, if it has any.
    case auto
    case never
    /// From this checkpoint and no other.
    case checkpoint(String)
  }

  /// The YAML file.
  public var config: String
  /// `KEY=VALUE` texts, in order.
  public var overrides: [String]
  /// The run directory.
  public var run: String
  public var resume: Resume
  /// A safetensors file with the weights to start from.
  public var initialWeights: String?
  /// Resume although fixed settings differ.
  public var force: Bool
  /// Print the resolved configuration and the plan, and stop.
  public var dryRun: Bool

  /// - Parameter run: nil: `runs/` and the name of the configuration file.
  public init(
    config: String, overrides: [String] = [], run: String? = nil, resume: Resume = .auto,
    initialWeights: String? = nil, force: Bool = false, dryRun: Bool = false
  ) throws(ConfigurationError) {
    if let initialWeights, case .checkpoint(let path) = resume {
      throw .badOption(
        option: "--init", found: initialWeights,
        expected: "no --resume \(path) beside it: a run starts from the one or the other")
    }
    self.config = config
    self.overrides = overrides
    self.run = run ?? TrainOptions.defaultRun(for: config)
    self.resume = resume
    self.initialWeights = initialWeights
    self.force = force
    self.dryRun = dryRun
  }

  /// `configs/cifar10.yaml` trains in `runs/cifar10`.
  public static func defaultRun(for config: String) -> String {
    let name = config.split(separator: "/").last.map(String.init) ?? config
    let stem = name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
    return "runs/\(stem.isEmpty ? name : stem)"
  }

  /// The configuration, read and validated.
  public func configuration() throws(ConfigurationError) -> Configuration {
    try Configuration(file: config, overrides: overrides)
  }
}

/// `diffit sample`.
public struct SampleOptions: Equatable, Sendable {
  public enum Sampler: String, CaseIterable, Sendable {
    case heun, euler, ddpm, ddim
    case dpmPlusPlus = "dpm++"
  }

  /// A checkpoint, or a run: its newest good checkpoint.
  public let checkpoint: String
  /// One image a seed.
  public let seeds: SeedList
  /// A folder for PNG files, or a `.npz` or `.zip` file.
  public let output: String
  /// A PNG file for all images side by side.
  public let grid: String?
  public let sampler: Sampler
  /// Nil: `sample.steps` of the run.
  public let steps: Int?
  /// Nil: drawn from each image's seed, where the network knows classes.
  public let label: Int?
  /// 1: no guidance.
  public let guidance: Double
  /// The average to draw with. Nil: the run's first; `raw`: the weights themselves.
  public let ema: String?
  /// A PNG file for the way from noise to image.
  public let trajectory: String?

  public init(
    checkpoint: String, seeds: SeedList, output: String, grid: String? = nil,
    sampler: Sampler = .heun, steps: Int? = nil, label: Int? = nil, guidance: Double = 1,
    ema: String? = nil, trajectory: String? = nil
  ) throws(ConfigurationError) {
    try require(steps ?? 1 >= 1, "--steps", steps ?? 1, expected: "1 or more")
    try require(label ?? 0 >= 0, "--class", label ?? 0, expected: "0 or more")
    try require(guidance.isFinite, "--guidance", guidance, expected: "a finite number")
    if sampler != .heun && sampler != .euler {
      throw .notBuilt(
        key: "--sampler", at: "sample", found: sampler.rawValue, remedy: "use heun or euler")
    }
    self.checkpoint = checkpoint
    self.seeds = seeds
    self.output = output
    self.grid = grid
    self.sampler = sampler
    self.steps = steps
    self.label = label
    self.guidance = guidance
    self.ema = ema
    self.trajectory = trajectory
  }
}

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

private func require(
  _ holds: Bool, _ option: String, _ found: some Any, expected: String
) throws(ConfigurationError) {
  if !holds { throw .badOption(option: option, found: "\(found)", expected: expected) }
}

/// Thrown by a job that was asked to stop, after it has saved its state: the program ends with exit
/// code 64, on which a scheduler starts the job again.
public struct StoppedOnRequest: Error, Equatable, Sendable, CustomStringConvertible {
  /// What asked: the signal's name.
  public let reason: String
  public let images: Int

  public init(reason: String, images: Int) {
    (self.reason, self.images) = (reason, images)
  }

  public var description: String {
    "stopped on request (\(reason)) at \(images) images, state saved: start again to go on"
  }
}
