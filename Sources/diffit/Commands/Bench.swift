import ArgumentParser
import Training

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Time training and sampling, and every operator against what the machine can do; needs no data.",
    discussion: """
      Example: diffit bench --set model.blocks=2,2,2 --threads 2 --json bench.json
      """)

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Settings, as YAML. (default: those of configs/cifar10.yaml)", valueName: "file"))
  var config: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Change one setting; may be repeated.", valueName: "key=value"))
  var overrides: [String] = []

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

  @Option(
    name: .long, help: ArgumentHelp("Results for machines; -: standard output.", valueName: "file"))
  var json: String?

  mutating func run() throws {
    try Benchmark.run(
      BenchOptions(
        config: config, overrides: overrides, precision: precision, threads: threads, batch: batch,
        images: images, json: json))
  }
}
