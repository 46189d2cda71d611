import Diffusion

/// The grids of samples drawn during training, and how a run's samples are drawn where nothing else is said.
package struct SampleSettings: Codable, Equatable, Sendable {
  package enum Sampler: String, Codable, CaseIterable, Sendable {
    /// `heun` for EDM, `ddpm` for DDPM.
    case auto
    case heun, euler, ddpm, ddim
    case dpmPlusPlus = "dpm++"
  }
  package enum Schedule: String, Codable, CaseIterable, Sendable {
    case constant
    case powerCosine = "power-cosine"
  }

  /// Images between grids. 0: none, at the end neither.
  package var every = 1_000_000
  /// Images a grid.
  package var count = 64
  /// Steps of the sampler.
  package var steps = 18
  /// Seed of the grid's first image; the others follow.
  package var seed = 0
  package var sampler = Sampler.auto
  /// Scale of classifier-free guidance. 1: none.
  package var guidance = 1.0
  /// How its weight follows time; `power-cosine` needs DDPM's timesteps.
  package var guidanceSchedule = Schedule.constant
  /// The first so many channels are guided. 0: all are.
  package var guidedChannels = 0

  package init() {}

  package enum CodingKeys: String, CodingKey {
    case every, count, steps, seed, sampler, guidance
    case guidanceSchedule = "guidance_schedule"
    case guidedChannels = "guided_channels"
  }
}

extension SampleSettings: SettingsSection {
  typealias Key = CodingKeys

  package static var settings: [Setting<SampleSettings>] {
    [
      Setting(Key.every, \.every, .images),
      Setting(Key.count, \.count, .whole),
      Setting(Key.steps, \.steps, .whole),
      Setting(Key.seed, \.seed, .whole),
      Setting(Key.sampler, \.sampler, .choice),
      Setting(Key.guidance, \.guidance, .number),
      Setting(Key.guidanceSchedule, \.guidanceSchedule, .choice),
      Setting(Key.guidedChannels, \.guidedChannels, .whole),
    ]
  }

  package func validate() throws(SettingProblem) {
    try require(.count, count, in: 1...65_536)
    try require(.steps, steps, in: 1...100_000)
    try require(.seed, seed, in: 0...(Int.max >> 1))
    try require(.guidance, guidance, in: -1_000...1_000)
    try require(.guidedChannels, guidedChannels, in: 0...1_024)
  }
}

extension SampleSettings.Schedule {
  /// As guidance knows it, with the power that DiffiT's authors use.
  package var guidance: Guidance.Schedule { self == .constant ? .constant : .powerCosine() }
}
