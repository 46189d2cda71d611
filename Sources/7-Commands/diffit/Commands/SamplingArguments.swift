import ArgumentParser
import Configuration
import Diffusion
import Sampling

/// How images are drawn: the same flags for `sample` and `evaluate`.
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
      "Draw this class. (default: a class from each image's seed, if the network knows any)",
      valueName: "k"))
  var label: Int?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Strength of guidance; 1: none. (default: sample.guidance of the run)", valueName: "s"))
  var guidance: Double?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Guide between these noise levels only. (default: at all)", valueName: "low,high"))
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
      "Draw with this average of the weights; raw: the weights themselves."
        + " (default: the run's first average)", valueName: "name"))
  var ema: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Of a latent network: the autoencoder that makes the pictures, a folder in diffusers' layout, a run"
        + " or a checkpoint. (default: data.vae of the run)", valueName: "dir|run"))
  var vae: String?

  @Option(name: .long, help: ArgumentHelp("Images denoised at once, a rank.", valueName: "n"))
  var batch = 16

  func options() throws -> SamplingOptions {
    try SamplingOptions(
      sampler: sampler, steps: steps, churn: churn, eta: eta, label: label, guidance: guidance,
      guidanceInterval: guidanceInterval, guidanceSchedule: guidanceSchedule,
      guidedChannels: guidedChannels, ema: ema, vae: vae,
      batch: batch)
  }
}
