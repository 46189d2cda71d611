import CommandSupport
import Configuration
import TensorCore

/// `diffit bench`.
package struct BenchOptions: Equatable, Sendable {
  /// Nil: the defaults.
  package let config: String?
  /// `KEY=VALUE` texts, in order.
  package let overrides: [String]
  /// Nil: `train.precision`.
  package let precision: TrainSettings.Precision?
  /// Nil: `train.threads`.
  package let threads: Int?
  /// Images per training step.
  package let batch: Int
  /// Images to train on while the clock runs; rounded up to whole steps.
  package let images: Int
  /// A file for the results; `-`: standard output.
  package let json: String?

  /// Checks the options' ranges.
  package init(
    config: String? = nil, overrides: [String] = [], precision: TrainSettings.Precision? = nil,
    threads: Int? = nil, batch: Int = 32, images: Int = 160, json: String? = nil
  ) throws(OptionError) {
    try require(
      threads.map { (1...ThreadPool.largestCount).contains($0) } ?? true, "--threads",
      threads ?? 0, expected: "1 to \(ThreadPool.largestCount)")
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

  /// The configuration with the options in it, read and validated. A micro-batch larger than
  /// `batch` is lowered to it.
  package func configuration() throws(ConfigurationError) -> Configuration {
    let asked = precision.map { ["train.precision=\($0)"] } ?? []
    var configuration = try Configuration(file: config, overrides: overrides + asked)
    configuration.train.batch = batch
    configuration.train.microBatch = min(configuration.train.microBatch, batch)
    if let threads { configuration.train.threads = threads }
    try configuration.validate()
    return configuration
  }
}
