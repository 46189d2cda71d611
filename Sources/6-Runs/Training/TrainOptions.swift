import CommandSupport
import Configuration
import Foundation
import ModelLoading

/// The options of `diffit train`.
package struct TrainOptions: Equatable, Sendable {
  /// Which checkpoint a run resumes.
  package enum Resume: Equatable, Sendable {
    /// From the newest good checkpoint of the run, if it has any.
    case auto
    /// From no checkpoint: the run must not have any.
    case never
    /// From this checkpoint and no other.
    case checkpoint(String)
  }

  /// The YAML file. Nil: the run's own `config.yaml`, or what `initialWeights` carry.
  package var config: String?
  /// `KEY=VALUE` texts of `--set`, in order.
  package var overrides: [String]
  /// The run directory.
  package var run: String
  /// Which checkpoint the run resumes.
  package var resume: Resume
  /// A safetensors file with the weights to start from.
  package var initialWeights: String?
  /// Whether to resume although settings differ that a run keeps from its first step to its last.
  package var force: Bool
  /// Whether to print only the resolved configuration and the plan.
  package var dryRun: Bool

  /// - Parameters:
  ///   - config: the YAML file; nil: the settings of a run that has begun, or of the weights.
  ///   - run: nil: the run that the configuration file is the `config.yaml` of, else `runs/` and the
  ///     name of the file.
  ///   - initialWeights: may not be given together with a checkpoint.
  package init(
    config: String? = nil, overrides: [String] = [], run: String? = nil, resume: Resume = .auto,
    initialWeights: String? = nil, force: Bool = false, dryRun: Bool = false
  ) throws(OptionError) {
    if let initialWeights, case .checkpoint(let path) = resume {
      throw OptionError(
        option: "--init", found: initialWeights,
        expected: "no --resume \(path) beside it: a run starts from the one or the other")
    }
    guard let named = config ?? run ?? initialWeights else {
      throw OptionError(
        option: "--config", found: "is missing",
        expected: "a file of settings, or --run with the directory of a run to go on with")
    }
    self.config = config
    self.overrides = overrides
    self.run =
      run ?? RunDirectory(ownerOf: named)?.path ?? TrainOptions.defaultRun(for: named)
    self.resume = resume
    self.initialWeights = initialWeights
    self.force = force
    self.dryRun = dryRun
  }

  /// `configs/cifar10.yaml` trains in `runs/cifar10`.
  package static func defaultRun(for config: String) -> String {
    let name = config.split(separator: "/").last.map(String.init) ?? config
    let stem = name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
    return "runs/\(stem.isEmpty ? name : stem)"
  }
}

extension TrainOptions {
  /// The file of settings that the options name: that of `--config`, else that of the run in its
  /// directory.
  ///
  /// - Throws: `TrainingError.noSettings` where there is none.
  func settingsFile() throws -> String {
    if let config { return config }
    let own = RunDirectory(path: run).config
    guard FileManager.default.fileExists(atPath: own) else {
      throw TrainingError.noSettings(run: run)
    }
    return own
  }

  /// The settings that the weights of `--init` carry, with the changes of `--set`; nil where they
  /// carry none, or a file of settings comes first.
  func carriedSettings() throws -> Configuration? {
    guard let initialWeights, (try? settingsFile()) == nil else { return nil }
    return try WeightsFile(initialWeights).configuration(overrides: overrides)
  }
}
