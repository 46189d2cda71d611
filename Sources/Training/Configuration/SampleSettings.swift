/// The grids of samples drawn during training.
public struct SampleSettings: Codable, Equatable, Sendable {
  /// Images between grids. 0: none, at the end neither.
  public var every = 1_000_000
  /// Images a grid.
  public var count = 64
  /// Steps of the sampler.
  public var steps = 18
  /// Seed of the grid's first image; the others follow.
  public var seed = 0

  public init() {}

  public enum CodingKeys: String, CodingKey { case every, count, steps, seed }
}

extension SampleSettings: SettingsSection {
  typealias Key = CodingKeys

  static var settings: [Setting<SampleSettings>] {
    [
      Setting(Key.every, \.every, .images),
      Setting(Key.count, \.count, .whole),
      Setting(Key.steps, \.steps, .whole),
      Setting(Key.seed, \.seed, .whole),
    ]
  }

  func validate() throws(SettingProblem) {
    try require(.count, count, in: 1...65_536)
    try require(.steps, steps, in: 1...100_000)
    try require(.seed, seed, in: 0...(Int.max >> 1))
  }
}
