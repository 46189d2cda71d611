import ArgumentParser
import Configuration
import Parity

struct Parity: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare outputs and gradients with a golden file made by PyTorch.",
    discussion: """
      Ends with exit code 1 where an error is above the tolerance.

      Example: diffit parity golden.safetensors --json errors.json
      """)

  @Argument(
    help: ArgumentHelp("A file made by make_golden.py.", valueName: "golden.safetensors"))
  var golden: String

  @Option(name: .long, help: "What to compute in.")
  var precision = TrainSettings.Precision.fp32

  @Option(name: .long, help: ArgumentHelp("Threads. (default: one per core)", valueName: "n"))
  var threads: Int?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Largest relative error that passes. (default: 1e-4 for fp32, 3e-2 for bf16)",
      valueName: "x"))
  var tolerance: Double?

  @OptionGroup var results: ResultArguments

  mutating func run() throws {
    try ParityCheck.run(
      ParityOptions(
        golden: golden, precision: precision, threads: threads ?? 0, tolerance: tolerance,
        json: results.json))
  }
}
