/// The metrics of one measurement, sorted by the network whose features they are computed from.
///
/// Settings, `evaluate` and `data stats` all make one from names: this is the only place where
/// names of metrics are checked.
package struct MetricSelection: Equatable, Sendable {
  /// In the order they were asked for.
  package let names: [String]
  /// Metrics of the built-in network's features.
  package let builtin: [Metric]
  /// Metrics of Inception's features.
  package let inception: [Metric]

  /// The name of the held-out denoising loss, which is computed by the network itself.
  package static let loss = "loss"
  /// The name of the peak signal-to-noise ratio of images that an autoencoder reconstructs, in
  /// decibels.
  package static let psnr = "psnr"
  private static let known = [loss, psnr] + Metric.allCases.map(\.rawValue)

  /// Why names are no selection: what was found, and what was expected.
  package struct Problem: Error {
    /// The name, or the names, that cannot be taken.
    package let found: String
    /// What can be taken instead, in words.
    package let expected: String
  }

  /// Checks that every name is known, stands there once, and is a metric that the features allow.
  package init(_ names: [String], features: FeatureSource) throws(Problem) {
    for name in names where !Self.known.contains(name) {
      throw Problem(
        found: name.isEmpty ? "\"\"" : name,
        expected: "some of \(Self.known.joined(separator: ", "))")
    }
    guard Set(names).count == names.count else {
      throw Problem(found: names.joined(separator: ","), expected: "each metric once")
    }
    let metrics = names.compactMap(Metric.init(rawValue:))
    (builtin, inception) = (
      metrics.filter { $0 == .fdRandom }, metrics.filter { $0 != .fdRandom }
    )
    if let first = inception.first, features == .builtin {
      throw Problem(
        found: first.rawValue,
        expected: "fd_random or loss where features are builtin: \(first.rawValue) is made of"
          + " Inception's, whose weights launch/convert-inception.py makes")
    }
    self.names = names
  }

  /// All metrics that are computed from features.
  package var metrics: [Metric] { builtin + inception }
  /// Whether the held-out denoising loss is asked for.
  package var hasLoss: Bool { names.contains(Self.loss) }
  /// Whether the error of an autoencoder's reconstructions is asked for.
  package var hasPSNR: Bool { names.contains(Self.psnr) }

  /// The names of all numbers that a measurement gives, in the order they were asked for.
  package var valueNames: [String] {
    names.flatMap { name in Metric(rawValue: name)?.valueNames ?? [name] }
  }

  /// Whether a larger value is the better one, for a number of this name.
  package static func isHigherBetter(_ valueName: String) -> Bool {
    let number = Metric.allCases.lazy.flatMap(\.numbers).first { $0.name == valueName }
    return number?.isHigherBetter ?? (valueName == psnr)
  }
}
