import ArgumentParser
import Configuration
import Evaluation
import Sampling

/// The flags that say how images are sampled, the same for `sample` and `evaluate`: the only place
/// that declares them.
struct SamplingArguments: ParsableArguments {
  @Option(name: .long, help: "The sampler; auto: sample.sampler of the run.")
  var sampler = SampleSettings.Sampler.auto

  @Option(
    name: .long,
    help: ArgumentHelp("Steps of the sampler. (default: sample.steps of the run)", valueName: "n"))
  var steps: Int?

  @Option(
    name: .long,
    help: ArgumentHelp("Noise that heun and euler add on the way (S_churn).", valueName: "x"))
  var churn = 0.0

  @Option(
    name: .long,
    help: ArgumentHelp("Noise that ddim adds: 0 none, 1 as much as ddpm.", valueName: "x"))
  var eta = 0.0

  @Option(
    name: .customLong("class"),
    help: ArgumentHelp(
      "Sample this class, by its number or its name."
        + " (default: a class from each image's seed, if the network knows any)",
      valueName: "k|name"))
  var label: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Strength of guidance; 1: none. (default: sample.guidance of the run)", valueName: "s"))
  var guidance: Double?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Guide only between these noise levels. (default: at all)", valueName: "low,high"))
  var guidanceInterval: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "How guidance follows the timesteps of DDPM. (default: sample.guidance_schedule of the run)",
      valueName: "name"))
  var guidanceSchedule: SampleSettings.Schedule?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Guide the first n channels; 0: all. (default: sample.guided_channels of the run)",
      valueName: "n"))
  var guidedChannels: Int?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A weaker network of the same task, whose predictions are moved away from (autoguidance)."
        + " (default: sample.guide of the run)", valueName: "checkpoint|run"))
  var guide: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Weight of the difference to the guide; 1: none. (default: sample.guide_weight of the run)",
      valueName: "w"))
  var guideWeight: Double?

  @Option(
    name: .customLong("guide-ema"),
    help: ArgumentHelp(
      "The average of the guide's weights; raw: the weights themselves. (default: its first"
        + " average)", valueName: "name"))
  var guideEMA: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Sample with this average of the weights; raw: the weights themselves."
        + " (default: the run's first average)", valueName: "name"))
  var ema: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The autoencoder that decodes the images of a latent network: a folder in diffusers' layout,"
        + " a run or a checkpoint. (default: data.vae of the run)", valueName: "dir|run"))
  var vae: String?

  @Option(name: .long, help: ArgumentHelp("Images sampled at once per rank.", valueName: "n"))
  var batch = ImageSampler.standardBatch

  /// The options as the library takes them.
  func options() throws -> SamplingOptions {
    var options = SamplingOptions()
    options.sampler = sampler
    options.steps = steps
    options.churn = churn
    options.eta = eta
    if let label { options.setClass(label) }
    options.guidance = guidance
    options.guidanceInterval = try guidanceInterval.map(SamplingOptions.interval)
    options.guidanceSchedule = guidanceSchedule
    options.guidedChannels = guidedChannels
    options.guide = guide
    options.guideWeight = guideWeight
    options.guideEMA = guideEMA
    options.ema = ema
    options.vae = vae
    options.batch = batch
    return options
  }
}

/// The flags that say how images become features, the same for `evaluate` and `data stats`: the
/// only place that declares them.
struct FeatureArguments: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "builtin: a random network that needs no file; or FID-Inception's weights, from"
        + " launch/convert-inception.py.", valueName: "builtin|file"))
  var features = "builtin"

  @Option(
    name: .customLong("protocol"),
    help: ArgumentHelp(
      "How images are brought to Inception's input: tf1, clean or pytorch-fid.", valueName: "name"))
  var protocolName = "tf1"

  @Flag(name: .long, help: "Take images of different sizes, each brought to the input on its own.")
  var mixedSizes = false

  /// The options as the library takes them.
  ///
  /// - Parameter batch: images whose features each rank computes at once.
  func options(batch: Int) throws -> FeatureOptions {
    try FeatureOptions(
      features: features, protocolName: protocolName, mixedSizes: mixedSizes, batch: batch)
  }
}
