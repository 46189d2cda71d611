import ArgumentParser
import Evaluation
import Sampling

struct OptimalLossCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "optimal-loss",
    abstract: "Compare a network's training loss with the least that any network can have.",
    discussion: """
      By noise level, for image networks of EDM without data.augment on at most 60,000 images.

      Example: mpirun -n 2 diffit optimal-loss runs/cifar10-small --samples 512
      """)

  @Argument(
    help: ArgumentHelp(
      "A checkpoint, or a run: its newest good checkpoint.", valueName: "checkpoint|run"))
  var checkpoint: String

  @Option(
    name: .long,
    help: ArgumentHelp("Training images that are made noisy and denoised.", valueName: "n"))
  var samples = 512

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The average of the weights; raw: the weights themselves. (default: the run's first average)",
      valueName: "name"))
  var ema: String?

  @Option(name: .long, help: ArgumentHelp("Images denoised at once per rank.", valueName: "n"))
  var batch = ImageSampler.standardBatch

  @OptionGroup var results: ResultArguments

  mutating func run() throws {
    try OptimalLossJob.run(
      OptimalLossJob.Options(
        target: checkpoint, ema: ema, samples: samples, batch: batch, json: results.json))
  }
}
