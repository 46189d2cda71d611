import Optimization

/// One moving average of the weights. A run may keep several, told apart by name.
package struct EMASettings: Equatable, Sendable {
  /// Part of file and tensor names.
  package var name = "ema"
  /// Images after which a weight's share has halved.
  package var halfLife = 500_000
  /// The half-life is at most this share of the images seen. 0: no ramp-up.
  package var rampup = 0.05
  /// Relative standard deviation of a power-function average. 0: an exponential average.
  package var length = 0.0

  package init() {}
}

extension EMASettings: SettingsSection {
  static let meaning =
    """
    The moving averages of the weights: a list with an entry per average, told apart by name. \
    `--set ema.0.half_life=100k` changes the first, `--set ema.1.name=slow` adds a second, and \
    `--set 'ema=[]'` removes all.
    """

  static let settings: [Setting<EMASettings>] = [
    Setting(
      "name", \.name, .text,
      """
      Name of the average, as `--ema` takes it, in letters, digits, `_` and `-`. `raw` means the \
      weights themselves.
      """),
    Setting(
      "half_life", \.halfLife, .images, .range(1...ImageCount.largest),
      "Images after which the share of a past weight has halved."),
    Setting(
      "rampup", \.rampup, .number, .notNegative,
      """
      The half-life is at most this share of the images seen, so that early averages follow the \
      weights. 0: no ramp-up.
      """),
    Setting(
      "length", \.length, .number, .range(0...0.28),
      """
      Length of a power-function average, as the standard deviation of its profile relative to \
      the images seen; such averages need no `half_life` and no `rampup`, and `diffit export \
      --ema-length` makes others of them. 0: an exponential average.
      """),
  ]

  func validate() throws(SettingProblem) {
    try require(
      length == 0 || PowerFunctionProfile.lengths.contains(length), \.length,
      expected: "0, or 0.001 to 0.28")
    try require(
      name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9_-]*/) != nil && name != "raw", \.name,
      expected: "letters, digits, _ and - (raw means the weights themselves)")
  }
}
