import CommandSupport
import Configuration
import Diffusion

/// How images are drawn, with everything settled that options leave to the run.
package struct SamplingParameters: Equatable {
  /// Never `auto`.
  package let sampler: SampleSettings.Sampler
  package let steps: Int
  package let churn: Double
  package let eta: Double
  package let label: Int?
  package let guidance: Guidance
  /// Whether predictions are images, which have a range.
  let clips: Bool

  /// What a run's own settings say.
  package init(_ settings: SampleSettings, _ configuration: Configuration) {
    sampler = settings.sampler.settled(for: configuration)
    steps = settings.steps
    (churn, eta, label) = (0, 0, nil)
    guidance = Guidance(
      scale: settings.guidance, schedule: settings.guidanceSchedule.guidance,
      guidedChannels: settings.guidedChannels > 0 ? settings.guidedChannels : nil)
    clips = configuration.clampsPrediction
  }

  /// - Throws: `ConfigurationError`, for options that do not go together with the run.
  package init(_ options: SamplingOptions, of configuration: Configuration) throws {
    let settings = configuration.sample
    let asked = options.sampler == .auto ? settings.sampler : options.sampler
    sampler = asked.settled(for: configuration)
    try SamplingOptions.check(sampler, churn: options.churn, eta: options.eta)
    steps = options.steps ?? settings.steps
    (churn, eta, label) = (options.churn, options.eta, options.label)
    let schedule = options.guidanceSchedule ?? settings.guidanceSchedule
    let channels = options.guidedChannels ?? settings.guidedChannels
    guidance = Guidance(
      scale: options.guidance ?? settings.guidance,
      interval: options.guidanceInterval ?? 0...(.infinity), schedule: schedule.guidance,
      guidedChannels: channels > 0 ? channels : nil)
    clips = configuration.clampsPrediction
    let size = configuration.networkSettings.imageShape(batch: 1).channels
    try require(
      channels <= size, "--guided-channels", channels, expected: "at most \(size), the channels")
    try require(
      schedule == .constant || configuration.diffusion.kind == .ddpm, "--guidance-schedule",
      schedule.rawValue, expected: "constant: EDM has no timesteps to follow")
    try require(
      configuration.diffusion.kind == .edm || steps <= configuration.diffusion.steps, "--steps",
      steps, expected: "at most \(configuration.diffusion.steps), the timesteps of the run")
  }

  package var method: any Diffusion.Sampler {
    switch sampler {
    case .auto, .heun: HeunSampler(churn: .init(churn))
    case .euler: HeunSampler(corrects: false, churn: .init(churn))
    case .ddpm: AncestralSampler(clips: clips)
    case .ddim: DDIMSampler(eta: eta, clips: clips)
    case .dpmPlusPlus: DPMSolverPlusPlus()
    }
  }
}

extension SampleSettings.Sampler {
  /// `auto` as the formulation has it.
  fileprivate func settled(for configuration: Configuration) -> SampleSettings.Sampler {
    guard self == .auto else { return self }
    return configuration.diffusion.kind == .ddpm ? .ddpm : .heun
  }
}

extension Configuration {
  /// Whether predictions of the clean image are cut to [-1, 1], as DDPM does with pixels.
  fileprivate var clampsPrediction: Bool { model.kind == .image && diffusion.kind == .ddpm }
}
