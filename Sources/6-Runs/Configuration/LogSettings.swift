/// What a run writes about itself.
package struct LogSettings: Equatable, Sendable {
  /// Images between rows of `stats.jsonl` (a tick). 0: only at the end.
  package var every = 10_000
  /// A rank whose steps take this many times the median rank's is named in the log. 0: none is.
  package var straggler = 1.5

  package init() {}
}

extension LogSettings: SettingsSection {
  static let meaning = "What a run writes about itself."

  static let settings: [Setting<LogSettings>] = [
    Setting(
      "every", \.every, .images,
      "Images between two rows of `stats.jsonl` and lines of the log (a tick). 0: only at the end."),
    Setting(
      "straggler", \.straggler, .number, .notNegative,
      """
      A rank whose steps take more than this many times the median rank's time is named in the \
      log. It is above 1; 0: no rank is named.
      """),
  ]

  func validate() throws(SettingProblem) {
    try require(
      straggler == 0 || straggler > 1, \.straggler,
      expected: "a number above 1, or 0 to switch off")
  }
}
