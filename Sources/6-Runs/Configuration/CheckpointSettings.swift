/// When checkpoints are written and which are kept.
package struct CheckpointSettings: Equatable, Sendable {
  /// Images between checkpoints. 0: only at the end.
  package var every = 1_000_000
  /// How many of the newest are kept.
  package var keep = 3
  /// Every n-th is kept for ever. 0: none.
  package var keepEvery = 0
  /// Images between snapshots of the power-function averages. 0: none.
  package var snapshots = 0
  /// Training continues while a checkpoint is written.
  package var async = true

  package init() {}
}

extension CheckpointSettings: SettingsSection {
  static let meaning = "When checkpoints are written, and which of them are kept."

  static let settings: [Setting<CheckpointSettings>] = [
    Setting(
      "every", \.every, .images,
      "Images between checkpoints. 0: only at the end. A run that ends always writes one."),
    Setting(
      "keep", \.keep, .whole, .range(1...1_000_000), "Number of newest checkpoints that are kept."),
    Setting(
      "keep_every", \.keepEvery, .whole, .range(0...1_000_000),
      "One checkpoint out of this many is kept for ever, whatever `checkpoint.keep` says. 0: none is."
    ),
    Setting(
      "snapshots", \.snapshots, .images,
      """
      Images between two snapshots of the power-function averages, which `diffit export \
      --ema-length` makes averages of other lengths of. Each takes 4 bytes per parameter and \
      average. 0: there are none.
      """),
    Setting(
      "async", \.async, .flag,
      "Whether training continues while a copy of the state is written. The copy takes memory."),
  ]
}
