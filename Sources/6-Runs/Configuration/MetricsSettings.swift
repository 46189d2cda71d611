import Metrics

/// Measures of sample quality taken during training.
package struct MetricsSettings: Codable, Equatable, Sendable {
  /// Images between measurements. 0: none.
  package var every = 0
  package var names = ["fd_random"]
  /// Images drawn for one measurement, and held-out images for `loss`.
  package var samples = 10_000
  /// The number whose best checkpoint is kept, such as `fd_random`. Empty: none is.
  package var best = ""
  /// Images or statistics that samples are compared with. Empty: the training data.
  package var reference = ""
  /// `builtin`, or a file of Inception's weights.
  package var features = "builtin"
  /// How images are brought to Inception's input.
  package var `protocol` = "tf1"

  package init() {}

  package enum CodingKeys: String, CodingKey {
    case every, names, samples, best, reference, features, `protocol`
  }
}

extension MetricsSettings: SettingsSection {
  typealias Key = CodingKeys

  package static var settings: [Setting<MetricsSettings>] {
    [
      Setting(Key.every, \.every, .images),
      Setting(Key.names, \.names, .texts),
      Setting(Key.samples, \.samples, .whole),
      Setting(Key.best, \.best, .text),
      Setting(Key.reference, \.reference, .text),
      Setting(Key.features, \.features, .text),
      Setting(Key.protocol, \.protocol, .text),
    ]
  }

  package func validate() throws(SettingProblem) {
    try require(!names.isEmpty, .names, names, expected: "at least one name")
    try require(.samples, samples, in: 1...1_000_000_000)
    try require(!features.isEmpty, .features, "empty", expected: "builtin, or a file of weights")
    try require(
      ResizeProtocol(rawValue: `protocol`) != nil, .protocol, `protocol`,
      expected: ResizeProtocol.allCases.map(\.rawValue).joined(separator: ", "))
    let selection: MetricSelection
    do throws(MetricSelection.Problem) {
      selection = try MetricSelection(names, features: FeatureSource(features))
    } catch {
      throw SettingProblem(
        key: Key.names.stringValue, found: error.found, expected: error.expected, remedy: "")
    }
    try require(
      best.isEmpty || selection.valueNames.contains(best), .best, best,
      expected: "empty, or one of \(selection.valueNames.joined(separator: ", ")), which"
        + " metrics.names give")
  }
}
