import CommandSupport
import DiffiTModels
import Metrics
import Yams

/// Everything that decides what a run computes and writes.
///
/// `Configuration()` holds the defaults, which are those of `configs/cifar10.yaml`. Values read by
/// `init(file:overrides:)` are validated; values put together in code are validated by `validate()`.
package struct Configuration: Codable, Equatable, Sendable {
  package var model = ModelSettings()
  package var data = DataSettings()
  package var diffusion = DiffusionSettings()
  package var vae = AutoencoderSettings()
  package var train = TrainSettings()
  package var optimizer = OptimizerSettings()
  package var ema = [EMASettings()]
  package var parallel = ParallelSettings()
  package var checkpoint = CheckpointSettings()
  package var sample = SampleSettings()
  package var metrics = MetricsSettings()
  package var log = LogSettings()

  package init() {}

  /// The sections in the order they are written in.
  package static let sections = [
    "model", "data", "diffusion", "vae", "train", "optimizer", "ema", "parallel", "checkpoint",
    "sample",
    "metrics", "log",
  ]

  /// Every key outside `ema`, by section.
  package static let settings: [String: [Setting<Configuration>]] = [
    "model": ModelSettings.settings.map { Setting($0, in: "model", at: \.model) },
    "data": DataSettings.settings.map { Setting($0, in: "data", at: \.data) },
    "diffusion": DiffusionSettings.settings.map { Setting($0, in: "diffusion", at: \.diffusion) },
    "vae": AutoencoderSettings.settings.map { Setting($0, in: "vae", at: \.vae) },
    "train": TrainSettings.settings.map { Setting($0, in: "train", at: \.train) },
    "optimizer": OptimizerSettings.settings.map { Setting($0, in: "optimizer", at: \.optimizer) },
    "parallel": ParallelSettings.settings.map { Setting($0, in: "parallel", at: \.parallel) },
    "checkpoint": CheckpointSettings.settings.map {
      Setting($0, in: "checkpoint", at: \.checkpoint)
    },
    "sample": SampleSettings.settings.map { Setting($0, in: "sample", at: \.sample) },
    "metrics": MetricsSettings.settings.map { Setting($0, in: "metrics", at: \.metrics) },
    "log": LogSettings.settings.map { Setting($0, in: "log", at: \.log) },
  ]

  /// Every key, dotted; those of `ema` for one entry.
  package static var keys: [String] { Configuration().entries.map(\.key) }

  /// Every key with its value, in the order of `sections`.
  package var entries: [(key: String, value: Node)] {
    Configuration.sections.flatMap { section in
      guard section == "ema" else {
        return (Configuration.settings[section] ?? []).map { ($0.name, $0.write(self)) }
      }
      return ema.enumerated().flatMap { index, average in
        EMASettings.settings.map { ("ema.\(index).\($0.name)", $0.write(average)) }
      }
    }
  }
}

extension Configuration {
  /// Throws for the first value that cannot work.
  package func validate() throws(ConfigurationError) { try validate(locations: [:]) }

  /// - Parameter locations: where a dotted key was written; a key without an entry has its default.
  package func validate(locations: [String: String]) throws(ConfigurationError) {
    func check(
      _ section: String, _ body: () throws(SettingProblem) -> Void
    ) throws(ConfigurationError) {
      do { try body() } catch {
        throw error.located(in: section, locations: locations)
      }
    }
    try check("model", model.validate)
    try check("data", data.validate)
    try check("diffusion", diffusion.validate)
    try check("vae", vae.validate)
    try check("train", train.validate)
    try check("optimizer", optimizer.validate)
    for (index, average) in ema.enumerated() { try check("ema.\(index)", average.validate) }
    try check("parallel", parallel.validate)
    try check("checkpoint", checkpoint.validate)
    try check("sample", sample.validate)
    try check("metrics", metrics.validate)
    try check("log", log.validate)
    try check("model", validateModelAgainstData)
    if model.kind == .vae { try check("vae", validateLossAgainstPictures) }
    try check("metrics", validateMetrics)
    try check("ema", validateNames)
    try check("train", validateShards)
  }

  /// Canonical shards are alike, and each is a whole number of micro-batches.
  private func validateShards() throws(SettingProblem) {
    guard parallel.reduction == .reproducible else { return }
    let shards = parallel.shards
    try train.require(
      train.batch % shards == 0, .batch, train.batch,
      expected: "a multiple of \(shards), the shards of parallel.reduction reproducible",
      remedy: "change train.batch or parallel.shards, or use parallel.reduction=fast")
    try train.require(
      train.microBatch == 0 || train.batch / shards % train.microBatch == 0, .microBatch,
      train.microBatch,
      expected: "0 or a divisor of \(train.batch / shards), the images of a shard",
      remedy: "with parallel.reduction reproducible a shard is a whole number of micro-batches")
  }

  private func validateModelAgainstData() throws(SettingProblem) {
    try model.require(
      (model.kind == .latent) == (data.kind == .latents), .kind, model.kind.rawValue,
      expected: model.kind == .latent
        ? "data.kind latents beside it, not \(data.kind)"
        : "latent with data.kind latents",
      remedy: model.kind == .latent
        ? "encode the pictures with `diffit data encode`, and set data.kind to latents"
        : "set model.kind to latent, or name pictures")
    if let count = data.kind.classCount {
      try model.require(
        model.classes == 0 || model.classes == count, .classes, model.classes,
        expected: "0 (unconditional) or \(count), the classes of data.kind \(data.kind)",
        remedy: "change model.classes or data.kind")
    }
    try model.require(
      data.kind != .cifar10 || model.resolution == 32, .resolution, model.resolution,
      expected: "32, the side of data.kind cifar10's images",
      remedy: "use 32, or data.kind shapes, folder, tar or packed, which come at any resolution")
  }

  /// What compares pictures needs some pixels to look at.
  private func validateLossAgainstPictures() throws(SettingProblem) {
    let side = model.resolution
    var patches = PatchDiscriminator.Settings()
    patches.layers = vae.discriminatorLayers
    try vae.require(
      vae.discriminatorStart == 0 || side >= patches.leastResolution, .discriminatorLayers,
      vae.discriminatorLayers,
      expected: "patches within a picture: \(patches.leastResolution) pixels a side or more,"
        + " where model.resolution is \(side)",
      remedy: "use fewer layers, or vae.discriminator_start=0")
    let least = PerceptualDistance.Settings().leastResolution
    try vae.require(
      vae.perceptual.isEmpty || side >= least, .perceptual, vae.perceptual,
      expected: "pictures of \(least) pixels a side or more beside it, where model.resolution is"
        + " \(side)", remedy: "leave vae.perceptual empty, or use larger pictures")
  }

  private func validateMetrics() throws(SettingProblem) {
    let psnr = MetricSelection.psnr
    let isFitting =
      model.kind == .vae ? metrics.names == [psnr] : !metrics.names.contains(psnr)
    try metrics.require(
      metrics.every == 0 || isFitting, .names, metrics.names,
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
}

extension SettingProblem {
  fileprivate func located(
    in section: String, locations: [String: String]
  ) -> ConfigurationError {
    let dotted = "\(section).\(key)"
    let at = locations[dotted] ?? "default"
    let standard = Configuration.defaultText(of: dotted)
    return .invalid(
      key: dotted, at: at, found: found, expected: expected,
      remedy: remedy.isEmpty ? "the default is \(standard)" : remedy)
  }
}
