import CommandSupport
import Configuration
import Datasets
import Diffusion
import ModelLoading

/// How images are sampled, as far as a command says it: the options that `sample` and `evaluate`
/// share. What they leave open is decided by the run's settings, in `SamplingParameters`.
package struct SamplingOptions: Equatable, Sendable {
  /// The sampler; `auto`: `sample.sampler` of the run.
  package var sampler = SampleSettings.Sampler.auto
  /// Steps of the sampler. Nil: `sample.steps` of the run.
  package var steps: Int?
  /// S_churn of `heun` and `euler` (Karras et al., Algorithm 2): how much noise is added on the
  /// way. 0: none.
  package var churn = 0.0
  /// How much noise `ddim` adds: 0 is deterministic, 1 is ancestral sampling.
  package var eta = 0.0
  /// The class of all images. Nil: a class from each image's seed, where the network knows classes.
  package var label: Int?
  /// The same class by its name, until `naming(classesOf:)` has found its number.
  package var className: String?
  /// Scale of classifier-free guidance; 1: none. Nil: `sample.guidance` of the run.
  package var guidance: Double?
  /// The noise levels (sigma) at which guidance applies. Nil: all.
  package var guidanceInterval: ClosedRange<Double>?
  /// How guidance follows the timesteps. Nil: `sample.guidance_schedule` of the run.
  package var guidanceSchedule: SampleSettings.Schedule?
  /// The first so many channels are guided; 0: all. Nil: `sample.guided_channels` of the run.
  package var guidedChannels: Int?
  /// A checkpoint or a run whose network guides. Nil: `sample.guide` of the run.
  package var guide: String?
  /// Weight of the difference to it; 1: none. Nil: `sample.guide_weight` of the run.
  package var guideWeight: Double?
  /// The average of the guide's weights; `raw`: the weights themselves. Nil: its first average.
  package var guideEMA: String?
  /// The average of the weights to sample with; `raw`: the weights themselves. Nil: the run's first
  /// average.
  package var ema: String?
  /// The autoencoder of a latent network. Nil: `data.vae` of the run.
  package var vae: String?
  /// Images that each rank samples at once; bounds the memory.
  package var batch = ImageSampler.standardBatch

  /// Leaves everything to the run.
  package init() {}

  /// Checks what can be checked without knowing the run.
  ///
  /// - Throws: `OptionError`, which names the option.
  package func validate() throws(OptionError) {
    try require(
      (1...100_000).contains(steps ?? 1), "--steps", steps ?? 1, expected: "1 to 100000")
    try require(
      (0...1e6).contains(churn), "--churn", churn, expected: "a number from 0 to 1000000")
    try require((0...1).contains(eta), "--eta", eta, expected: "a number from 0 to 1")
    if sampler != .auto { try validate(for: sampler) }
    try require(label ?? 0 >= 0, "--class", label ?? 0, expected: "0 or more")
    try require(
      (-1000...1000).contains(guidance ?? 1), "--guidance", guidance ?? 1,
      expected: "a number from -1000 to 1000")
    try require(
      guidedChannels ?? 0 >= 0, "--guided-channels", guidedChannels ?? 0, expected: "0 or more")
    try require(guide != "", "--guide", "\"\"", expected: "a checkpoint or a run")
    try require(
      guideWeight?.isFinite ?? true, "--guide-weight", guideWeight ?? 0, expected: "a finite number"
    )
    try require((1...65_536).contains(batch), "--batch", batch, expected: "1 to 65536")
  }

  /// Takes the value of `--class`: a number, or the name of a class.
  package mutating func setClass(_ text: String) {
    (label, className) = Int(text).map { ($0, nil) } ?? (nil, text)
  }

  /// The options with the number of the class in place of its name.
  ///
  /// - Throws: `SamplingError.unknownClass`.
  package func naming(classesOf loaded: LoadedModel) throws -> SamplingOptions {
    guard let className else { return self }
    let names = loaded.knownClassNames ?? []
    guard let label = names.firstIndex(of: className) else {
      throw SamplingError.unknownClass(name: className, names: names)
    }
    var options = self
    (options.label, options.className) = (label, nil)
    return options
  }

  /// Checks that no option belongs to another sampler than `sampler`.
  func validate(for sampler: SampleSettings.Sampler) throws(OptionError) {
    try require(
      churn == 0 || sampler == .heun || sampler == .euler, "--churn", churn,
      expected: "0 with --sampler \(sampler.rawValue): only heun and euler churn")
    try require(
      eta == 0 || sampler == .ddim, "--eta", eta,
      expected: "0 with --sampler \(sampler.rawValue): only ddim has it")
  }

  /// Reads the value of `--guidance-interval`, two noise levels such as `0.2,5`.
  package static func interval(_ text: String) throws(OptionError) -> ClosedRange<Double> {
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

/// How images are sampled from the network of a run: options and the run's settings together,
/// nothing left open.
package struct SamplingParameters: Equatable {
  /// The sampler, never `auto`.
  package private(set) var sampler: SampleSettings.Sampler
  /// Steps of the sampler.
  package private(set) var steps: Int
  /// S_churn of `heun` and `euler`; 0: none.
  package private(set) var churn = 0.0
  /// Noise that `ddim` adds, 0 to 1.
  package private(set) var eta = 0.0
  /// The class of all images; nil: from each image's seed, or an unconditional network.
  package private(set) var label: Int?
  /// Classifier-free guidance: scale, interval, schedule and channels.
  package private(set) var guidance: Guidance
  /// Whether predictions of the clean image are clamped to [-1, 1]; true only for DDPM in pixel
  /// space.
  private let clamps: Bool

  /// What the settings of a run say, without options.
  package init(_ settings: SampleSettings, _ configuration: Configuration) {
    sampler = settings.sampler.resolved(for: configuration)
    steps = settings.steps
    guidance = Guidance(
      scale: settings.guidance, schedule: settings.guidanceSchedule.guidance,
      guidedChannels: settings.guidedChannels > 0 ? settings.guidedChannels : nil)
    clamps = configuration.model.kind == .image && configuration.diffusion.kind == .ddpm
  }

  /// What options say, and the settings of the run where they say nothing.
  ///
  /// - Throws: `OptionError` for an option that this run cannot take.
  package init(_ options: SamplingOptions, of configuration: Configuration) throws {
    var settings = configuration.sample
    if options.sampler != .auto { settings.sampler = options.sampler }
    settings.steps = options.steps ?? settings.steps
    settings.guidance = options.guidance ?? settings.guidance
    settings.guidanceSchedule = options.guidanceSchedule ?? settings.guidanceSchedule
    settings.guidedChannels = options.guidedChannels ?? settings.guidedChannels
    self.init(settings, configuration)
    (churn, eta, label) = (options.churn, options.eta, options.label)
    guidance.interval = options.guidanceInterval ?? guidance.interval
    try options.validate(for: sampler)
    try Self.check(settings, for: configuration)
    try checkDeterminism(configuration.diffusion.coupling)
  }

  /// Throws where noise would be added on the way to samples of a network that was trained with
  /// coupled noise: its predictions hold only for the deterministic process.
  private func checkDeterminism(_ coupling: DiffusionSettings.Coupling) throws(OptionError) {
    guard coupling != .none else { return }
    let reason = "with diffusion.coupling \(coupling.rawValue) of the run"
    try require(
      sampler != .ddpm, "--sampler", sampler.rawValue,
      expected: "heun, euler, ddim or dpm++ \(reason): deterministic samplers")
    try require(churn == 0, "--churn", churn, expected: "0 \(reason): no noise may be added")
    try require(eta == 0, "--eta", eta, expected: "0 \(reason): no noise may be added")
  }

  /// Throws where options gave the settings values that the run cannot take.
  private static func check(
    _ settings: SampleSettings, for configuration: Configuration
  ) throws(OptionError) {
    let size = configuration.networkSettings.imageShape(batch: 1).channels
    try require(
      settings.guidedChannels <= size, "--guided-channels", settings.guidedChannels,
      expected: "at most \(size), the channels")
    let diffusion = configuration.diffusion
    try require(
      settings.guidanceSchedule == .constant || diffusion.kind == .ddpm, "--guidance-schedule",
      settings.guidanceSchedule.rawValue, expected: "constant: EDM has no timesteps to follow")
    try require(
      diffusion.kind == .edm || settings.steps <= diffusion.steps, "--steps", settings.steps,
      expected: "at most \(diffusion.steps), the timesteps of the run")
  }

  /// The sampler as an algorithm.
  package var method: any Diffusion.Sampler {
    switch sampler {
    case .auto, .heun: HeunSampler(churn: .init(churn))
    case .euler: HeunSampler(corrects: false, churn: .init(churn))
    case .ddpm: AncestralSampler(clips: clamps)
    case .ddim: DDIMSampler(eta: eta, clips: clamps)
    case .dpmPlusPlus: DPMSolverPlusPlus()
    }
  }
}

extension SampleSettings.Sampler {
  /// `auto` becomes the sampler that goes with the run's formulation.
  fileprivate func resolved(for configuration: Configuration) -> SampleSettings.Sampler {
    guard self == .auto else { return self }
    return configuration.diffusion.kind == .ddpm ? .ddpm : .heun
  }
}

extension LoadedModel {
  /// The names of the network's classes: those of the data that it was trained on, as far as the run
  /// or the kind of the data tells; nil for an unconditional network.
  package var knownClassNames: [String]? {
    guard configuration.model.classes > 0 else { return nil }
    if let classNames { return classNames }
    return switch configuration.data.kind {
    case .cifar10: CIFAR10Dataset.classes
    case .shapes: ShapesDataset.classNames
    case .folder, .tar, .packed, .latents: nil
    }
  }
}
