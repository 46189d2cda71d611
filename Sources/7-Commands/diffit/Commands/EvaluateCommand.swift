import ArgumentParser
import Evaluation

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Measure a network's samples, an autoencoder, or images that are there already.",
    discussion: """
      Metrics: loss (held-out denoising loss), fd_random (built-in features); with Inception's \
      weights fid, fid64, fid192, fid768, is, is_adm, kid, pr, sfid. An autoencoder is measured by what it \
      makes of held-out images: psnr, and these but loss. docs/metrics.md has their conventions.

      Example: mpirun -n 4 diffit evaluate runs/cifar10 --metrics fd_random,loss --samples 10000
      """)

  @Argument(
    help: ArgumentHelp(
      "A run, a checkpoint, a folder of images, or a .npz or .zip file.",
      valueName: "run|images"))
  var target: String

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Images, or statistics as .npz. (default: the images that the run was trained on)",
      valueName: "data|stats.npz"))
  var reference: String?

  @Option(name: .long, help: ArgumentHelp("Separated by commas.", valueName: "names"))
  var metrics = "fd_random"

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Images to draw, or to take of those there are. (default: 50000, or all)", valueName: "n"))
  var samples: Int?

  @Option(name: .long, help: ArgumentHelp("The first seed to draw.", valueName: "n"))
  var seed: UInt64 = 0

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Measure as often, on ranges of seeds or images one after the other.", valueName: "n"))
  var repeats = 1

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Held-out images for loss and autoencoders. (default: those of the run, data.validation)",
      valueName: "data"))
  var heldOut: String?

  @OptionGroup(title: "Features") var measuring: FeatureArguments
  @OptionGroup(title: "SamplingParameters") var drawing: SamplingArguments

  @OptionGroup var results: ResultArguments

  mutating func run() throws {
    try EvaluateJob.run(
      EvaluateOptions(
        target: target, reference: reference, heldOut: heldOut, metrics: metrics,
        samples: samples, seed: seed, repeats: repeats,
        measuring: measuring.options(batch: drawing.batch), drawing: drawing.options(),
        json: results.json))
  }
}
