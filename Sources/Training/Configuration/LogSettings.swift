/// What a run writes about itself.
public struct LogSettings: Codable, Equatable, Sendable {
  /// Images between rows of `stats.jsonl` (a tick). 0: only at the end.
  public var every = 10_000

  public init() {}

  public enum CodingKeys: String, CodingKey { case every }
}

extension LogSettings: SettingsSection {
  typealias Key = CodingKeys

  static var settings: [Setting<LogSettings>] { [Setting(Key.every, \.every, .images)] }

  /// Every count of images the parser accepts is a good interval.
  func validate() throws(SettingProblem) {}
}
