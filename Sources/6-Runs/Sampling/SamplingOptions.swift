import CommandSupport
import Configuration
import Diffusion

/// How images are drawn from a network: what `sample` and `evaluate` have in common.
package struct SamplingOptions: Equatable, Sendable {
  /// `auto`: `sample.sampler` of the run.
  package let sampler: SampleSettings.Sampler
  /// Nil: `sample.steps` of the run.
  package let steps: Int?
  /// S_churn of `heun` and `euler`, Karras et al., Algorithm 2; 0: none.
  package let churn: Double
  /// Of `ddim`: 0 is deterministic, 1 is ancestral sampling.
  package let eta: Double
  /// Nil: drawn from each image's seed, where the network knows classes.
  package let label: Int?
  /// 1: no guidance. Nil: `sample.guidance` of the run.
  package let guidance: Double?
  /// Nil: `sample.guidance_schedule` of the run.
  package let guidanceSchedule: SampleSettings.Schedule?
  /// 0: all. Nil: `sample.guided_channels` of the run.
  package let guidedChannels: Int?
  /// Noise levels with guidance. Nil: all.
  package let guidanceInterval: ClosedRange<Double>?
  /// The average to draw with. Nil: the run's first; `raw`: the weights themselves.
  package let ema: String?
  /// Of a latent network: the autoencoder. Nil: `data.vae` of the run.
  package let vae: String?
  /// Images denoised at once.
  package let batch: Int

  /// - Parameter guidanceInterval: two noise levels, `0.2,5`.
  /// - Throws: `ConfigurationError`; not declared as its type, since Swift 6.3 in release
  ///   then takes a result of this size for an error.
  package init(
    sampler: SampleSettings.Sampler = .auto, steps: Int? = nil, churn: Double = 0, eta: Double = 0,
    label: Int? = nil, guidance: Double? = nil, guidanceInterval: String? = nil,
    guidanceSchedule: SampleSettings.Schedule? = nil, guidedChannels: Int? = nil,
    ema: String? = nil, vae: String? = nil, batch: Int = 16
  ) throws {
    try require(steps ?? 1 >= 1, "--steps", steps ?? 1, expected: "1 or more")
    try require(churn >= 0 && churn.isFinite, "--churn", churn, expected: "a number from 0 on")
    try require((0...1).contains(eta), "--eta", eta, expected: "a number from 0 to 1")
    if sampler != .auto { try Self.check(sampler, churn: churn, eta: eta) }
    try require(label ?? 0 >= 0, "--class", label ?? 0, expected: "0 or more")
    try require(
      guidance?.isFinite ?? true, "--guidance", guidance ?? 0, expected: "a finite number")
    try require(
      guidedChannels ?? 0 >= 0, "--guided-channels", guidedChannels ?? 0, expected: "0 or more")
    try require(batch >= 1, "--batch", batch, expected: "1 or more")
    self.sampler = sampler
    self.steps = steps
    self.churn = churn
    self.eta = eta
    self.label = label
    self.guidance = guidance
    self.guidanceInterval = try guidanceInterval.map(Self.interval)
    self.guidanceSchedule = guidanceSchedule
    self.guidedChannels = guidedChannels
    self.ema = ema
    self.vae = vae
    self.batch = batch
  }

  /// Throws where an option belongs to another sampler.
  package static func check(
    _ sampler: SampleSettings.Sampler, churn: Double, eta: Double
  ) throws(OptionError) {
    try require(
      churn == 0 || sampler == .heun || sampler == .euler, "--churn", churn,
      expected: "0 with --sampler \(sampler.rawValue): only heun and euler churn")
    try require(
      eta == 0 || sampler == .ddim, "--eta", eta,
      expected: "0 with --sampler \(sampler.rawValue): only ddim has it")
  }

  private static func interval(_ text: String) throws(OptionError) -> ClosedRange<Double> {
    let ends = text.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
    guard ends.count == 2, let low = ends[0], let high = ends[1], low >= 0, low <= high,
      high.isFinite
    else {
      throw OptionError(
        option: "--guidance-interval", found: text,
        expected: "two noise levels, the lower first, such as 0.2,5")
    }
    return low...high
  }
}
