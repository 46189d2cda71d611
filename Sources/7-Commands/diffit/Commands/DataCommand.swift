import ArgumentParser
import Evaluation

struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data",
    abstract: "Look at data sets and prepare them.",
    discussion: """
      Example: mpirun -n 4 diffit data stats data/cifar10 --out cifar10-stats.npz
      """,
    subcommands: [
      DataInfoCommand.self, ConvertCommand.self, EncodeCommand.self,
      StatisticsCommand.self,
    ])
}

struct StatisticsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats",
    abstract: "Compute the statistics that evaluate compares samples with.",
    discussion: """
      The .npz holds mu and sigma in f64, as EDM's tools write and read them, and the name and the \
      digest of the feature network.

      Example: mpirun -n 4 diffit data stats data/cifar10 --features inception.safetensors \
      --out cifar10-stats.npz
      """)

  @Argument(
    help: ArgumentHelp(
      "A data set, a folder of images, or a .npz or .zip file.", valueName: "data"))
  var data: String

  @Option(name: .customLong("out"), help: ArgumentHelp("The file to write.", valueName: "file.npz"))
  var output: String

  @Option(
    name: .long, help: ArgumentHelp("Take the first n images. (default: all)", valueName: "n"))
  var samples: Int?

  @OptionGroup(title: "Features") var features: FeatureArguments

  @Option(name: .long, help: ArgumentHelp("Images taken at once per rank.", valueName: "n"))
  var batch = 16

  mutating func run() throws {
    try StatisticsJob.run(
      StatisticsOptions(
        data: data, output: output, samples: samples, features: features.options(batch: batch)))
  }
}
