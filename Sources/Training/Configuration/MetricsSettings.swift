/// Measures of sample quality taken during training.
public struct MetricsSettings: Codable, Equatable, Sendable {
  /// Images between measurements. 0: none.
  public var every = 0
  public var names = ["fd_random"]
  /// Images drawn for one measurement.
  public var samples = 10_000

  public init() {}

  public enum CodingKeys: String, CodingKey { case every, names, samples }
}

extension MetricsSettings: SettingsSection {
  typealias Key = CodingKeys

  static var settings: [Setting<MetricsSettings>] {
    [
      Setting(Key.every, \.every, .images),
      Setting(Key.names, \.names, .texts),
      Setting(Key.samples, \.samples, .whole),
    ]
  }

  func validate() throws(SettingProblem) {
    try requireBuilt(.every, every, only: 0)
    try require(
      !names.contains("") && Set(names).count == names.count, .names, names,
      expected: "names, each once")
    try require(.samples, samples, in: 1...1_000_000_000)
  }
}
