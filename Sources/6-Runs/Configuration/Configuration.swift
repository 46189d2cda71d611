import CommandSupport
import DiffiTModels
import Metrics
import Yams

/// Everything that decides what a run computes and writes.
///
/// `Configuration()` holds the defaults, which are those of `configs/cifar10.yaml`. Values read by
/// `init(file:overrides:)` are validated; values put together in code are validated by `validate()`.
package struct Configuration: Equatable, Sendable {
  /// The network.
  package var model = ModelSettings()
  /// The images, and how training varies them.
  package var data = DataSettings()
  /// Noise levels or timesteps, and the loss.
  package var diffusion = DiffusionSettings()
  /// The loss of an autoencoder.
  package var vae = AutoencoderSettings()
  /// How long and on what a run trains.
  package var train = TrainSettings()
  /// The optimiser and its learning rate.
  package var optimizer = OptimizerSettings()
  /// The moving averages of the weights, one per entry.
  package var ema = [EMASettings()]
  /// How ranks share the work.
  package var parallel = ParallelSettings()
  /// When checkpoints are written.
  package var checkpoint = CheckpointSettings()
  /// Grids of samples during training, and how samples are drawn.
  package var sample = SampleSettings()
  /// Measurements during training.
  package var metrics = MetricsSettings()
  /// Log and statistics.
  package var log = LogSettings()

  package init() {}

  /// The sections in the order they are written in.
  package static let sections = [
    ConfigurationSection("model", \.model), ConfigurationSection("data", \.data),
    ConfigurationSection("diffusion", \.diffusion), ConfigurationSection("vae", \.vae),
    ConfigurationSection("train", \.train), ConfigurationSection("optimizer", \.optimizer),
    ConfigurationSection("ema", count: { $0.ema.count }, entry: { \Configuration.ema[$0] }),
    ConfigurationSection("parallel", \.parallel), ConfigurationSection("checkpoint", \.checkpoint),
    ConfigurationSection("sample", \.sample), ConfigurationSection("metrics", \.metrics),
    ConfigurationSection("log", \.log),
  ]

  /// Every key, dotted; those of `ema` for one entry.
  package static let keys = Configuration().entries.map(\.key)

  /// Every key with its value, in the order of `sections`.
  package var entries: [(key: String, value: Node)] {
    Configuration.sections.flatMap { section in
      section.entries(self).map { ($0.name, $0.write(self)) }
    }
  }
}

extension Configuration {
  /// Throws for the first value that cannot work.
  package func validate() throws(ConfigurationError) { try validate(locations: [:]) }

  /// - Parameter locations: where a dotted key was written; a key without an entry has its default.
  package func validate(locations: [String: String]) throws(ConfigurationError) {
    do throws(SettingProblem) {
      for section in Configuration.sections { try section.validate(self) }
      try check("model", validateNetwork)
      try check("model", validateModelAgainstData)
      if model.kind == .vae { try check("vae", validateLossAgainstImages) }
      try check("metrics", validateMetrics)
      try check("diffusion", validateNoise)
      try check("sample", validateSampler)
      try check("ema", validateNames)
      try check("checkpoint", validateSnapshots)
      try check("train", validateShards)
      try check("optimizer", validateOptimizer)
    } catch {
      throw .invalid(
        key: error.key, at: locations[error.key] ?? "default", found: error.found,
        expected: error.expected,
        remedy: error.remedy.isEmpty
          ? "the default is \(Configuration.defaultText(of: error.key))" : error.remedy)
    }
  }

  private func check(
    _ section: String, _ body: () throws(SettingProblem) -> Void
  ) throws(SettingProblem) {
    do throws(SettingProblem) { try body() } catch { throw error.in(section) }
  }

  /// Asks the network that is trained whether its settings fit each other.
  private func validateNetwork() throws(SettingProblem) {
    guard let problem = model.kind == .vae ? vaeSettings.problem : networkSettings.problem else {
      return
    }
    throw SettingProblem(
      key: problem.key, found: problem.found, expected: problem.expected, remedy: problem.remedy)
  }

  /// Canonical shards are alike, and each is a whole number of micro-batches.
  private func validateShards() throws(SettingProblem) {
    guard parallel.reduction == .reproducible else { return }
    let shards = parallel.shards
    try train.require(
      train.batch % shards == 0, \.batch,
      expected: "a multiple of \(shards), the shards of parallel.reduction reproducible",
      remedy: "change train.batch or parallel.shards, or use parallel.reduction=fast")
    try train.require(
      train.microBatch == 0 || train.batch / shards % train.microBatch == 0, \.microBatch,
      expected: "0 or a divisor of \(train.batch / shards), the images of a shard",
      remedy: "with parallel.reduction reproducible a shard is a whole number of micro-batches")
  }

  private func validateModelAgainstData() throws(SettingProblem) {
    try model.require(
      (model.kind == .latent) == (data.kind == .latents), \.kind,
      expected: model.kind == .latent
        ? "data.kind latents beside it, not \(data.kind)"
        : "latent with data.kind latents",
      remedy: model.kind == .latent
        ? "encode the images with `diffit data encode`, and set data.kind to latents"
        : "set model.kind to latent, or name images")
    if let count = data.kind.classCount {
      try model.require(
        model.classes == 0 || model.classes == count, \.classes,
        expected: "0 (unconditional) or \(count), the classes of data.kind \(data.kind)",
        remedy: "change model.classes or data.kind")
    }
    try model.require(
      data.kind != .cifar10 || model.resolution == 32, \.resolution,
      expected: "32, the side of data.kind cifar10's images",
      remedy: "use 32, or data.kind shapes, folder, tar or packed, which come at any resolution")
  }

  /// What compares images needs some pixels to look at.
  private func validateLossAgainstImages() throws(SettingProblem) {
    let side = model.resolution
    let patches = vae.discriminator
    try vae.require(
      vae.discriminatorStart == 0 || side >= patches.leastResolution, \.discriminator.layers,
      expected: "patches within an image: \(patches.leastResolution) pixels per side or more,"
        + " where model.resolution is \(side)",
      remedy: "use fewer layers, or vae.discriminator_start=0")
    let least = PerceptualDistance.Settings().leastResolution
    try vae.require(
      vae.perceptual.isEmpty || side >= least, \.perceptual,
      expected: "images of \(least) pixels per side or more beside it, where model.resolution is"
        + " \(side)", remedy: "leave vae.perceptual empty, or use larger images")
  }

  private func validateMetrics() throws(SettingProblem) {
    let psnr = MetricSelection.psnr
    let isFitting =
      model.kind == .vae ? metrics.names == [psnr] : !metrics.names.contains(psnr)
    try metrics.require(
      metrics.every == 0 || isFitting, \.names,
      expected: model.kind == .vae
        ? "psnr, which autoencoders are measured by" : "metrics of drawn images",
      remedy: "change metrics.names, or set metrics.every=0")
  }

  private func validateNames() throws(SettingProblem) {
    for (index, average) in ema.enumerated()
    where ema[..<index].contains(where: {
      $0.name == average.name
    }) {
      throw SettingProblem(
        key: "\(index).name", found: average.name, expected: "a name no other entry of ema has",
        remedy: "set ema.\(index).name")
    }
  }

  /// Only power-function averages have snapshots.
  private func validateSnapshots() throws(SettingProblem) {
    try checkpoint.require(
      checkpoint.snapshots == 0 || ema.contains { $0.length > 0 }, \.snapshots,
      expected: "0 where no entry of ema has a length",
      remedy: "set ema.0.length=0.05 and a second entry of 0.10, or checkpoint.snapshots=0")
  }

  /// An autoencoder has no noise levels, and no noise that is added to images.
  private func validateNoise() throws(SettingProblem) {
    let expected = "with model.kind vae, which removes no noise"
    try diffusion.require(
      model.kind != .vae || !diffusion.uncertainty, \.uncertainty, expected: "false \(expected)",
      remedy: "leave diffusion.uncertainty out")
    try diffusion.require(
      model.kind != .vae || diffusion.coupling == .none, \.coupling, expected: "none \(expected)",
      remedy: "leave diffusion.coupling out")
  }

  /// Coupled noise is no independent noise, which samplers that add noise need.
  private func validateSampler() throws(SettingProblem) {
    try sample.require(
      diffusion.coupling == .none || sample.sampler != .ddpm, \.sampler,
      expected: "heun, euler, ddim or dpm++ with diffusion.coupling \(diffusion.coupling.rawValue),"
        + " which only deterministic samplers are right for",
      remedy: "set sample.sampler=auto, or diffusion.coupling=none")
  }

  /// The optimiser fits the network, and the run is long enough for its warm-up and cool-down.
  private func validateOptimizer() throws(SettingProblem) {
    try optimizer.require(
      optimizer.kind == .adam || model.kind != .vae, \.kind,
      expected: "adam with model.kind vae: muon is for the hidden matrices of image and latent",
      remedy: "set optimizer.kind=adam")
    try optimizer.validateRate(images: train.images)
  }
}
