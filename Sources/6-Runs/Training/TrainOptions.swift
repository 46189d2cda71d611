import CommandSupport

/// `diffit train`.
package struct TrainOptions: Equatable, Sendable {
  package enum Resume: Equatable, Sendable {
    /// From the newest good checkpoint of the run, if it has any.
    case auto
    case never
    /// From this checkpoint and no other.
    case checkpoint(String)
  }

  /// The YAML file.
  package var config: String
  /// `KEY=VALUE` texts, in order.
  package var overrides: [String]
  /// The run directory.
  package var run: String
  package var resume: Resume
  /// A safetensors file with the weights to start from.
  package var initialWeights: String?
  /// Resume although fixed settings differ.
  package var force: Bool
  /// Print the resolved configuration and the plan, and stop.
  package var dryRun: Bool

  /// - Parameter run: nil: `runs/` and the name of the configuration file.
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
