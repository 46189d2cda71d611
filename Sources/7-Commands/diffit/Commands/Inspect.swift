import ArgumentParser
import ModelLoading

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show settings, tensors and images seen of a checkpoint, and verify its checksums.",
    discussion: """
      Example: diffit inspect runs/cifar10
      """)

  @Argument(
    help: ArgumentHelp(
      "A checkpoint, a run or a safetensors file.",
      valueName: "checkpoint|run|file.safetensors"))
  var path: String

  @OptionGroup var results: ResultArguments

  mutating func run() throws {
    try Inspection.run(InspectOptions(path: path, json: results.json))
  }
}
