import ArgumentParser
import Training

struct Sample: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw images from a trained network, one a seed.",
    discussion: """
      Example: mpirun -n 4 diffit sample runs/cifar10 --seeds 0-63 --out samples --grid grid.png
      """)

  @Argument(
    help: ArgumentHelp(
      "A checkpoint, or a run: its newest good checkpoint.", valueName: "checkpoint|run"))
  var checkpoint: String

  @Option(
    name: .long, help: ArgumentHelp("Seeds and ranges of seeds.", valueName: "0-63,70"))
  var seeds = "0-63"

  @Option(
    name: .customLong("out"),
    help: ArgumentHelp(
      "A folder for PNG files; .npz and .zip files are not built yet.", valueName: "dir"))
  var output: String

  @Option(
    name: .long, help: ArgumentHelp("All images in one picture.", valueName: "file.png"))
  var grid: String?

  @Option(name: .long, help: "The sampler: heun or euler; the others are not built yet.")
  var sampler = SampleOptions.Sampler.heun

  @Option(
    name: .long,
    help: ArgumentHelp("Steps of the sampler. (default: sample.steps of the run)", valueName: "n"))
  var steps: Int?

  @Option(
    name: .customLong("class"),
    help: ArgumentHelp(
      "Draw this class. (default: a class from each image's seed, if the network knows any)",
      valueName: "k"))
  var label: Int?

  @Option(
    name: .long, help: ArgumentHelp("Strength of guidance; 1: none.", valueName: "s"))
  var guidance = 1.0

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Draw with this average of the weights; raw: the weights themselves."
        + " (default: the run's first average)", valueName: "name"))
  var ema: String?

  @Option(
    name: .long,
    help: ArgumentHelp("The way from noise to image, as a picture.", valueName: "file.png"))
  var trajectory: String?

  mutating func run() throws {
    try SampleJob.run(
      SampleOptions(
        checkpoint: checkpoint, seeds: SeedList(seeds), output: output, grid: grid,
        sampler: sampler,
        steps: steps, label: label, guidance: guidance, ema: ema, trajectory: trajectory))
  }
}
