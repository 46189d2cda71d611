import ArgumentParser
import RunData

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a network's weights as named tensors in PyTorch's layouts.",
    discussion: """
      The file's metadata hold the configuration, so that sample, evaluate, export and train --init \
      take the file in place of a run. An autoencoder becomes a folder that diffusers' AutoencoderKL.from_pretrained reads.

      Example: diffit export runs/cifar10 --out model.safetensors --ema ema
      """)

  @Argument(
    help: ArgumentHelp(
      "A checkpoint, a run (its newest good checkpoint), or a safetensors file.",
      valueName: "run|checkpoint|file"))
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

  @OptionGroup var network: NetworkArguments

  @Flag(
    name: .long,
    help: "Leave the configuration out: then the bytes depend only on names and weights.")
  var bare = false

  @Option(
    name: .customLong("ema-length"),
    help: ArgumentHelp(
      "Write a power-function average of this length, made of the averages that the run kept.",
      valueName: "x"))
  var length: Double?

  mutating func run() throws {
    try Export.run(
      ExportOptions(
        checkpoint: checkpoint, output: output, ema: ema, config: network.config, isBare: bare,
        length: length))
  }
}
