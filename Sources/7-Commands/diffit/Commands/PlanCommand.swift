import ArgumentParser
import Configuration
import Planning

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Propose settings that suit a number of images or hours, with their reasons.",
    discussion: """
      With --hours the training step is timed on this machine, for less than a minute, and the width \
      of the network is chosen too.

      Example: diffit plan --config configs/cifar10-small.yaml --hours 8 --out mine.yaml
      """)

  @OptionGroup var settings: ConfigurationArguments

  @Option(
    name: .long, help: ArgumentHelp("Images that the run may see, such as 1M.", valueName: "n"))
  var images: String?

  @Option(
    name: .long,
    help: ArgumentHelp("Hours that the run may take on this machine.", valueName: "h"))
  var hours: Double?

  @Option(
    name: .customLong("out"),
    help: ArgumentHelp("The file to write. (default: standard output)", valueName: "file"))
  var output: String?

  mutating func run() throws {
    try PlanJob.run(
      PlanOptions(
        config: settings.file, overrides: settings.overrides.texts, images: images, hours: hours,
        output: output))
  }
}
