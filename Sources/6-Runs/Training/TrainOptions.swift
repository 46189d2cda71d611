import CommandSupport

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

  /// The YAML file.
  package var config: String
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
  ///   - config: the YAML file.
  ///   - run: nil: `runs/` and the name of the configuration file.
  ///   - initialWeights: may not be given together with a checkpoint.
  package init(
    config: String, overrides: [String] = [], run: String? = nil, resume: Resume = .auto,
    initialWeights: String? = nil, force: Bool = false, dryRun: Bool = false
  ) throws(OptionError) {
    if let initialWeights, case .checkpoint(let path) = resume {
      throw OptionError(
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
  package static func defaultRun(for config: String) -> String {
    let name = config.split(separator: "/").last.map(String.init) ?? config
    let stem = name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
    return "runs/\(stem.isEmpty ? name : stem)"
  }
}
