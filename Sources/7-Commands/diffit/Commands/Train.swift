import ArgumentParser
import Training

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a network, from the start or from where the run was left.",
    discussion: """
      Given again, the command goes on from the newest good checkpoint; --run alone goes on with the \
      settings that the run was begun with.

      Example: mpirun -n 4 diffit train --config configs/cifar10.yaml --set train.batch=256
      """)

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Settings, as YAML. (default: those of the run in --run, or of the weights in --init)",
      valueName: "file"))
  var config: String?

  @OptionGroup var overrides: OverrideArguments

  @Option(
    name: .customLong("run"),
    help: ArgumentHelp(
      "The run's directory."
        + " (default: that of the config.yaml given, else runs/ and the configuration's name)",
      valueName: "dir"))
  var directory: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "auto: from the newest good checkpoint, if any; never: from the start; or a checkpoint.",
      valueName: "auto|never|path"))
  var resume = TrainOptions.Resume.auto

  @Option(
    name: .customLong("init"),
    help: ArgumentHelp("Start from these weights, with a fresh optimiser.", valueName: "file"))
  var initialWeights: String?

  @Flag(name: .long, help: "Resume although settings differ that a run should keep.")
  var force = false

  @Flag(
    name: .long,
    help: "Print the resolved settings, parameters, memory, time, disk and communication, and stop."
  )
  var dryRun = false

  mutating func run() throws {
    try TrainJob.run(
      TrainOptions(
        config: config, overrides: overrides.texts, run: directory, resume: resume,
        initialWeights: initialWeights, force: force, dryRun: dryRun))
  }
}
