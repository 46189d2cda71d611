import Diffusion

/// The grids of samples drawn during training, and how a run's samples are drawn where nothing else is said.
package struct SampleSettings: Equatable, Sendable {
  package enum Sampler: String, CaseIterable, Sendable {
    /// `heun` for EDM, `ddpm` for DDPM.
    case auto
    case heun, euler, ddpm, ddim
    case dpmPlusPlus = "dpm++"
  }
  package enum Schedule: String, CaseIterable, Sendable {
    case constant
    case powerCosine = "power-cosine"
  }

  /// Images between grids. 0: none, at the end neither.
  package var every = 1_000_000
  /// Images per grid.
  package var count = 64
  /// Steps of the sampler.
  package var steps = 18
  /// Seed of the grid's first image; the others follow.
  package var seed = 0
  /// The method.
  package var sampler = Sampler.auto
  /// Scale of classifier-free guidance. 1: none.
  package var guidance = 1.0
  /// How its weight follows time; `power-cosine` needs DDPM's timesteps.
  package var guidanceSchedule = Schedule.constant
  /// The first so many channels are guided. 0: all are.
  package var guidedChannels = 0
  /// A checkpoint or a run whose network guides, as `--guide` takes it. Empty: none does.
  package var guide = ""
  /// Weight of the difference to the guide. 1: none.
  package var guideWeight = 2.0

  package init() {}
}

extension SampleSettings: SettingsSection {
  static let meaning =
    """
    The grids of samples during training, and how `sample` and `evaluate` draw where their \
    options say nothing else.
    """

  static let settings: [Setting<SampleSettings>] = [
    Setting(
      "every", \.every, .images,
      "Images between two grids of samples. 0: there are none, not even at the end."),
    Setting("count", \.count, .whole, .range(1...65_536), "Number of images in a grid."),
    Setting("steps", \.steps, .whole, .range(1...100_000), "Steps of the sampler."),
    Setting(
      "seed", \.seed, .whole, .range(0...(Int.max >> 1)),
      "Seed of the grid's first image. The others have the following seeds."),
    Setting(
      "sampler", \.sampler, .choice,
      """
      The method, as `--sampler` takes it. `auto`: `heun` with `diffusion.kind` `edm`, `ddpm` \
      with `ddpm`.
      """),
    Setting(
      "guidance", \.guidance, .number, .range(-1_000...1_000),
      "Scale of classifier-free guidance. 1: none."),
    Setting(
      "guidance_schedule", \.guidanceSchedule, .choice,
      "How the weight of guidance follows time. `power-cosine` needs the timesteps of `ddpm`."),
    Setting(
      "guided_channels", \.guidedChannels, .whole, .range(0...1_024),
      "Number of channels that are guided, from the first. 0: all are."),
    Setting(
      "guide", \.guide, .text,
      """
      A run or a checkpoint of the same task, trained less or smaller, whose predictions `sample` \
      and `evaluate` move away from (autoguidance). Empty: none. Grids during training are drawn \
      without it.
      """),
    Setting(
      "guide_weight", \.guideWeight, .number, .range(-1_000...1_000),
      "Weight of the difference to the prediction of `sample.guide`. 1: none."),
  ]
}

extension SampleSettings.Schedule {
  /// As guidance knows it, with the power that DiffiT's authors use.
  package var guidance: Guidance.Schedule { self == .constant ? .constant : .powerCosine() }
}
