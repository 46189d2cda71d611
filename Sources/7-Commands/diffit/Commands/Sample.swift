import ArgumentParser
import Sampling

struct Sample: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Sample images from a trained network, one per seed.",
    discussion: """
      An image depends only on its seed, the weights and the sampler. Started again, the command \
      samples what is still missing.

      Example: mpirun -n 4 diffit sample runs/cifar10 --seeds 0-63 --out samples --grid grid.png
      """)

  @Argument(
    help: ArgumentHelp(
      "A checkpoint, a run (its newest good checkpoint), or an export.",
      valueName: "run|checkpoint|file"))
  var checkpoint: String

  @Option(
    name: .long, help: ArgumentHelp("Seeds and ranges of seeds.", valueName: "0-63,70"))
  var seeds = "0-63"

  @Option(
    name: .customLong("out"),
    help: ArgumentHelp(
      "A folder for PNG files, a .zip of such a folder, or an .npz array.",
      valueName: "dir|file"))
  var output: String

  @Option(
    name: .long, help: ArgumentHelp("A file for all images side by side.", valueName: "file.png"))
  var grid: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A file for the steps from noise to image, for the first seeds.", valueName: "file.png"))
  var trajectory: String?

  @OptionGroup var network: NetworkArguments
  @OptionGroup(title: "Sampling") var sampling: SamplingArguments

  mutating func run() throws {
    try SampleJob.run(
      SampleOptions(
        checkpoint: checkpoint, config: network.config, seeds: SeedList(seeds), output: output,
        grid: grid, trajectory: trajectory, sampling: sampling.options()))
  }
}
