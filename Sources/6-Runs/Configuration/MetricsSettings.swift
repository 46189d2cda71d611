import Images
import Metrics

/// Measures of sample quality taken during training.
package struct MetricsSettings: Equatable, Sendable {
  /// Images between measurements. 0: none.
  package var every = 0
  /// What is measured.
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
}

extension MetricsSettings: SettingsSection {
  static let meaning = "Measurements of sample quality during training."

  private static let protocols =
    ResizeProtocol.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")

  static let settings: [Setting<MetricsSettings>] = [
    Setting("every", \.every, .images, "Images between two measurements. 0: there are none."),
    Setting(
      "names", \.names, .texts,
      """
      What is measured, by the names that `diffit evaluate --metrics` takes. An autoencoder is \
      measured by `psnr`.
      """),
    Setting(
      "samples", \.samples, .whole, .range(1...1_000_000_000),
      "Number of images that are drawn for a measurement, and of held-out images for `loss`."),
    Setting(
      "best", \.best, .text,
      """
      The measured number whose best checkpoint is kept beside the newest ones, such as \
      `fd_random`. Empty: none is.
      """),
    Setting(
      "reference", \.reference, .text,
      "Images or a file of statistics that samples are compared with. Empty: the training data."),
    Setting(
      "features", \.features, .text,
      "`builtin` features, or a file of Inception's weights, as `--features` of `diffit evaluate`."),
    Setting(
      "protocol", \.protocol, .text,
      """
      How images are brought to Inception's input, as `--protocol` of `diffit evaluate`: \
      \(protocols).
      """),
  ]

  func validate() throws(SettingProblem) {
    try require(!names.isEmpty, \.names, expected: "at least one name")
    try require(!features.isEmpty, \.features, expected: "builtin, or a file of weights")
    try require(
      ResizeProtocol(rawValue: `protocol`) != nil, \.protocol,
      expected: ResizeProtocol.allCases.map(\.rawValue).joined(separator: ", "))
    let selection: MetricSelection
    do throws(MetricSelection.Problem) {
      selection = try MetricSelection(names, features: FeatureSource(features))
    } catch {
      throw SettingProblem(
        key: "names", found: error.found, expected: error.expected, remedy: "")
    }
    try require(
      best.isEmpty || selection.valueNames.contains(best), \.best,
      expected: "empty, or one of \(selection.valueNames.joined(separator: ", ")), which"
        + " metrics.names give")
  }
}
