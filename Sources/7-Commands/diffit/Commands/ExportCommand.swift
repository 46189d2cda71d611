import ArgumentParser
import RunData

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a network's weights as named tensors in PyTorch's layouts.",
    discussion: """
      An autoencoder becomes a folder that diffusers' AutoencoderKL.from_pretrained reads.

      Example: diffit export runs/cifar10 --out model.safetensors --ema ema
      """)

  @Argument(
    help: ArgumentHelp(
      "A checkpoint, or a run: its newest good checkpoint.", valueName: "checkpoint|run"))
  var checkpoint: String

  @Option(
    name: .customLong("out"),
    help: ArgumentHelp("The file, or for an autoencoder the folder, to write.", valueName: "file"))
  var output: String

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Write this average of the weights. (default: the weights themselves)", valueName: "name"))
  var ema: String?

  @Option(
    name: .customLong("ema-length"),
    help: ArgumentHelp(
      "Write a power-function average of this length, made of the averages that the run kept.",
      valueName: "x"))
  var length: Double?

  mutating func run() throws {
    try Export.run(ExportOptions(checkpoint: checkpoint, output: output, ema: ema, length: length))
  }
}
