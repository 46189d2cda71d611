import ArgumentParser
import Benchmarking
import CommandSupport

struct Scaling: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure steps and messages on a few ranks, and predict weak and strong scaling.",
    discussion: """
      Example: mpirun -n 2 diffit scaling measure --json two.json && diffit scaling predict two.json
      """,
    subcommands: [ScalingMeasureCommand.self, ScalingPredictCommand.self])
}

struct ScalingMeasureCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "measure",
    abstract: "Time training steps with and without messages, and sums by size; needs no data.",
    discussion: """
      Example: mpirun -n 2 diffit scaling measure --config configs/cifar10.yaml --json two.json
      """)

  @OptionGroup var settings: ConfigurationArguments

  @Option(name: .long, help: ArgumentHelp("Images per rank and step.", valueName: "n"))
  var batch = 32

  @Option(name: .long, help: ArgumentHelp("Steps to time, of each kind.", valueName: "n"))
  var steps = 5

  @Option(
    name: [.customLong("json"), .customLong("out")],
    help: ArgumentHelp(
      "Where to write what `scaling predict` reads; -: standard output.", valueName: "file"))
  var json: String

  mutating func run() throws {
    try ScalingMeasure.run(
      ScalingMeasureOptions(
        config: settings.file, overrides: settings.overrides.texts, batch: batch, steps: steps,
        json: json))
  }
}

struct ScalingPredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Fit measurements, and predict weak and strong scaling.",
    discussion: """
      The first file tells how fast a rank is; sums are fitted to all files. Errors on points kept \
      from the fit are printed with it, and every assumption.

      Example: diffit scaling predict two.json four.json --set model.blocks=2,2,2 --link-gbps 25
      """)

  @Argument(help: ArgumentHelp("Files of `scaling measure`.", valueName: "measured.json"))
  var files: [String]

  @Option(
    name: .long,
    help: ArgumentHelp("Numbers of ranks. (default: 1,2,4,...,1024)", valueName: "list"))
  var ranks: String?

  @Option(
    name: .long,
    help: ArgumentHelp("Another network than the measured one, as YAML.", valueName: "file"))
  var config: String?

  @OptionGroup var overrides: OverrideArguments

  @Option(
    name: .long,
    help: ArgumentHelp("Images per rank, weak scaling. (default: as measured)", valueName: "n"))
  var batch: Int?

  @Option(
    name: .long,
    help: ArgumentHelp("Images a step, strong scaling. (default: train.batch)", valueName: "n"))
  var globalBatch: Int?

  @Option(
    name: .long,
    help: ArgumentHelp("Leave smaller sums out of the fit.", valueName: "n"))
  var fromBytes = 0

  @Option(
    name: .long,
    help: ArgumentHelp("Rate of a link in Gb/s. (default: as fitted)", valueName: "x"))
  var linkGbps: Double?

  @Option(
    name: .long,
    help: ArgumentHelp("Time of a message in microseconds. (default: as fitted)", valueName: "x"))
  var latencyUs: Double?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Share of the last micro-batch's backward in which messages may travel.", valueName: "x"))
  var hiddenShare = 1.0

  @OptionGroup var results: ResultArguments

  mutating func run() throws {
    let counts = try ranks.map { list in
      try list.split(separator: ",", omittingEmptySubsequences: false).map { text in
        guard let count = Int(text) else {
          throw OptionError(
            option: "--ranks", found: list, expected: "numbers such as 1,2,4")
        }
        return count
      }
    }
    try ScalingPredict.run(
      ScalingPredictOptions(
        files: files, ranks: counts ?? ScalingPredictOptions.defaultRanks, config: config,
        overrides: overrides.texts, batch: batch, globalBatch: globalBatch, linkGbps: linkGbps,
        latencyUs: latencyUs, hiddenShare: hiddenShare, fromBytes: fromBytes,
        json: results.json))
  }
}
