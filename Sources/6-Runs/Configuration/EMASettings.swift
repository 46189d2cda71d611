/// One moving average of the weights. A run may keep several, told apart by name.
package struct EMASettings: Codable, Equatable, Sendable {
  /// Part of file and tensor names.
  package var name = "ema"
  /// Images after which a weight's share has halved.
  package var halfLife = 500_000
  /// The half-life is at most this share of the images seen. 0: no ramp-up.
  package var rampup = 0.05

  package init() {}

  package enum CodingKeys: String, CodingKey {
    case name, rampup
    case halfLife = "half_life"
  }
}

extension EMASettings: SettingsSection {
  typealias Key = CodingKeys

  static var settings: [Setting<EMASettings>] {
    [
      Setting(Key.name, \.name, .text),
      Setting(Key.halfLife, \.halfLife, .images),
      Setting(Key.rampup, \.rampup, .number),
    ]
  }

  func validate() throws(SettingProblem) {
    try require(
      name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9_-]*/) != nil && name != "raw", .name,
      name.isEmpty ? "empty" : name,
      expected: "letters, digits, _ and - (raw means the weights themselves)")
    try require(.halfLife, halfLife, in: 1...ImageCount.largest)
    try requireNotNegative(.rampup, rampup)
  }
}
