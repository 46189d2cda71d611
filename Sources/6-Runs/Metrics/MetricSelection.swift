/// The metrics of one measurement, sorted by what they are made of.
package struct MetricSelection: Equatable, Sendable {
  /// In the order they were asked for.
  package let names: [String]
  /// Of the built-in network's features.
  package let builtin: [Metric]
  /// Of Inception's.
  package let inception: [Metric]
  /// The held-out denoising loss, which is made of the network itself.
  package var hasLoss: Bool { names.contains(Self.loss) }
  package var metrics: [Metric] { builtin + inception }

  /// How well an autoencoder gives held-out images back.
  package var hasPSNR: Bool { names.contains(Self.psnr) }

  package static let loss = "loss"
  package static let psnr = "psnr"
  static let known = [loss, psnr] + Metric.allCases.map(\.rawValue)

  /// Why a selection cannot be: what was found, and what was expected.
  package struct Problem: Error {
    package let found: String
    package let expected: String
  }

  /// - Parameter hasInception: whether there are weights for it.
  package init(_ names: [String], hasInception: Bool) throws(Problem) {
    for name in names where !Self.known.contains(name) {
      throw Problem(
        found: name.isEmpty ? "\"\"" : name,
        expected: "some of \(Self.known.joined(separator: ", "))")
    }
    let metrics = names.compactMap(Metric.init(rawValue:))
    if let first = metrics.first(where: { $0 != .fdRandom }), !hasInception {
      throw Problem(
        found: first.rawValue,
        expected: "fd_random or loss where features are builtin: \(first.rawValue) is made of"
          + " Inception's, whose weights launch/convert-inception.py makes")
    }
    self.names = names
    builtin = metrics.filter { $0 == .fdRandom }
    inception = metrics.filter { $0 != .fdRandom }
  }

  /// Every number that a measurement gives, by name.
  package var valueNames: [String] {
    names.flatMap { name in Metric(rawValue: name)?.valueNames ?? [name] }
  }

  /// Whether the number of this name grows with quality.
  package static func isHigherBetter(_ valueName: String) -> Bool {
    [psnr, "is_mean", "is_adm_mean", "precision", "recall"].contains(valueName)
  }
}
