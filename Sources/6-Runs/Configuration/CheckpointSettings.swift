/// When checkpoints are written and which are kept.
package struct CheckpointSettings: Codable, Equatable, Sendable {
  /// Images between checkpoints. 0: only at the end.
  package var every = 1_000_000
  /// How many of the newest are kept.
  package var keep = 3
  /// Every n-th is kept for ever. 0: none.
  package var keepEvery = 0
  /// Training continues while a checkpoint is written.
  package var async = true

  package init() {}

  package enum CodingKeys: String, CodingKey {
    case every, keep, async
    case keepEvery = "keep_every"
  }
}

extension CheckpointSettings: SettingsSection {
  typealias Key = CodingKeys

  static var settings: [Setting<CheckpointSettings>] {
    [
      Setting(Key.every, \.every, .images),
      Setting(Key.keep, \.keep, .whole),
      Setting(Key.keepEvery, \.keepEvery, .whole),
      Setting(Key.async, \.async, .flag),
    ]
  }

  func validate() throws(SettingProblem) {
    try require(.keep, keep, in: 1...1_000_000)
    try require(.keepEvery, keepEvery, in: 0...1_000_000)
  }
}
