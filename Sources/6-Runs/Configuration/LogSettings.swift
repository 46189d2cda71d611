/// What a run writes about itself.
package struct LogSettings: Codable, Equatable, Sendable {
  /// Images between rows of `stats.jsonl` (a tick). 0: only at the end.
  package var every = 10_000

  /// A rank whose steps take this many times the median rank's is named in the log. 0: none is.
  package var straggler = 1.5

  package init() {}

  package enum CodingKeys: String, CodingKey { case every, straggler }
}

extension LogSettings: SettingsSection {
  typealias Key = CodingKeys

  static var settings: [Setting<LogSettings>] {
    [
      Setting(Key.every, \.every, .images),
      Setting(Key.straggler, \.straggler, .number),
    ]
  }

  func validate() throws(SettingProblem) {
    try require(
      straggler == 0 || straggler > 1 && straggler.isFinite, .straggler, straggler,
      expected: "a number above 1, or 0 to switch off")
  }
}
