import ArgumentParser
import Benchmarking
import Configuration

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Time training and sampling, and every operator against what the machine can do; needs no data.",
    discussion: """
      Example: diffit bench --set model.blocks=2,2,2 --threads 2 --json bench.json
      """)

  @OptionGroup var settings: ConfigurationArguments

  @Option(name: .long, help: "What to compute in. (default: train.precision)")
  var precision: TrainSettings.Precision?

  @Option(name: .long, help: ArgumentHelp("Threads. (default: train.threads)", valueName: "n"))
  var threads: Int?

  @Option(name: .long, help: ArgumentHelp("Images a training step.", valueName: "n"))
  var batch = 32

  @Option(
    name: .long,
    help: ArgumentHelp("Images to train on while the clock runs.", valueName: "n"))
  var images = 160

  @OptionGroup var results: ResultArguments

  mutating func run() throws {
    try Benchmark.run(
      BenchOptions(
        config: settings.file, overrides: settings.overrides.texts, precision: precision,
        threads: threads, batch: batch, images: images, json: results.json))
  }
}
