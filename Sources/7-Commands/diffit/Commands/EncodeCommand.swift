import ArgumentParser
import Configuration
import DataPreparation

struct EncodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "encode",
    abstract: "Turn images into the latents that latent networks train on.",
    discussion: """
      The result is data.kind latents: means and log variances, of the mirrored images too. Its bytes \
      do not depend on ranks or threads. Started again after a crash, the command goes on from \
      OUT.partial.

      Example: mpirun -n 4 diffit data encode imagenet-256.zip --vae sd-vae --out latents \
      --resolution 256
      """)

  @Argument(
    help: ArgumentHelp(
      "Class folders, tar shards, a packed set, CIFAR-10, or a folder of images.",
      valueName: "source"))
  var source: String

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The autoencoder: a folder in diffusers' layout, a run or a checkpoint.",
      valueName: "dir|run"))
  var vae: String

  @Option(name: .customLong("out"), help: ArgumentHelp("The folder to write.", valueName: "dir"))
  var output: String

  @Option(
    name: .long, help: ArgumentHelp("Pixels per side of the images.", valueName: "n"))
  var resolution: Int

  @Option(name: .long, help: ArgumentHelp("Images encoded at once per rank.", valueName: "n"))
  var batch = 16

  @Flag(name: .customLong("no-flip"), help: "Leave the mirrored images out.")
  var noFlip = false

  @Option(
    name: .long,
    help: ArgumentHelp(
      "What the autoencoder computes in and files hold: fp32 or bf16.", valueName: "name"))
  var precision = TrainSettings.Precision.fp32

  @Option(name: .long, help: ArgumentHelp("Images per file.", valueName: "n"))
  var fileImages = 1000

  @Option(
    name: .long,
    help: ArgumentHelp("Take the first n images. (default: all)", valueName: "n"))
  var maxImages: Int?

  @OptionGroup var results: ResultArguments

  mutating func run() throws {
    try EncodeJob.run(
      EncodeOptions(
        source: source, vae: vae, output: output, resolution: resolution, batch: batch,
        flips: !noFlip, precision: precision, fileImages: fileImages, maxImages: maxImages,
        json: results.json))
  }
}
