import ArgumentParser
import Evaluation

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Measure a network's samples, an autoencoder, or images that are there already.",
    discussion: """
      Metrics: loss (held-out denoising loss), fd_random (built-in features); with Inception's \
      weights fid, fid64, fid192, fid768, is, is_adm, kid, pr, sfid. An autoencoder is measured by the \
      held-out images that it reconstructs: psnr, and all of these except loss. docs/metrics.md has \
      their definitions.

      Example: mpirun -n 4 diffit evaluate runs/cifar10 --metrics fd_random,loss --samples 10000
      """)

  @Argument(
    help: ArgumentHelp(
      "A run, a checkpoint, an export, a folder of images, or a .npz or .zip file.",
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
      "Images to sample, or to take of those in files. (default: 50000, or all)", valueName: "n"))
  var samples: Int?

  @Option(name: .long, help: ArgumentHelp("The first seed to sample.", valueName: "n"))
  var seed: UInt64 = 0

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Number of measurements, on consecutive ranges of seeds or images.", valueName: "n"))
  var repeats = 1

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Held-out images for loss and autoencoders. (default: those of the run, data.validation)",
      valueName: "data"))
  var heldOut: String?

  @OptionGroup var network: NetworkArguments
  @OptionGroup(title: "Features") var features: FeatureArguments
  @OptionGroup(title: "Sampling") var sampling: SamplingArguments

  @OptionGroup var results: ResultArguments

  mutating func run() throws {
    try EvaluateJob.run(
      EvaluationRequest(
        target: target, config: network.config, reference: reference, heldOut: heldOut,
        metrics: metrics,
        samples: samples, seed: seed, repeats: repeats,
        features: features.options(batch: sampling.batch), sampling: sampling.options(),
        json: results.json))
  }
}
