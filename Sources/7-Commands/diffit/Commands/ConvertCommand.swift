import ArgumentParser
import DataPreparation

extension ConvertOptions.Transform: ExpressibleByArgument {}
extension ConvertOptions.Filter: ExpressibleByArgument {}

struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Bring images to one size and pack them for training.",
    discussion: """
      The result is data.kind packed: PNG files and dataset.json, as EDM's tools read and write them. \
      Its bytes do not depend on ranks or threads. Started again after a crash, the command goes on \
      from OUT.partial.

      Example: mpirun -n 4 diffit data convert ILSVRC/train --out imagenet-64.zip --resolution 64
      """)

  @Argument(
    help: ArgumentHelp(
      "Class folders, tar shards, a packed set, CIFAR-10, or a folder of images.",
      valueName: "source"))
  var source: String

  @Option(
    name: .customLong("out"), help: ArgumentHelp("What to write.", valueName: "file.zip|dir"))
  var output: String

  @Option(name: .long, help: ArgumentHelp("Pixels per side.", valueName: "n"))
  var resolution: Int

  @Option(
    name: .long,
    help: ArgumentHelp(
      "How an image becomes a square: center-crop-dhariwal, center-crop or stretch.",
      valueName: "name"))
  var transform = ConvertOptions.Transform.centerCropDhariwal

  @Option(
    name: .long,
    help: ArgumentHelp(
      "box, bicubic or lanczos, for center-crop and stretch. (default: lanczos)",
      valueName: "name"))
  var filter: ConvertOptions.Filter?

  @Option(
    name: .long,
    help: ArgumentHelp("Images that may be left out as broken.", valueName: "n"))
  var maxBroken = 0

  @Option(
    name: .long,
    help: ArgumentHelp("Take the first n images. (default: all)", valueName: "n"))
  var maxImages: Int?

  @OptionGroup var results: ResultArguments

  mutating func run() throws {
    try ConvertJob.run(
      ConvertOptions(
        source: source, output: output, resolution: resolution, transform: transform,
        filter: filter, maxBroken: maxBroken, maxImages: maxImages, json: results.json))
  }
}

struct DataInfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "Tell what a data set holds, and what is wrong with it.",
    discussion: """
      Exits with 1 where images are broken.

      Example: diffit data info ILSVRC/train
      """)

  @Argument(
    help: ArgumentHelp(
      "Class folders, tar shards, a packed set, CIFAR-10, or a folder of images.",
      valueName: "source"))
  var source: String

  @Flag(name: .long, help: "Decode every image; otherwise only headers are read.")
  var decode = false

  @OptionGroup var results: ResultArguments

  mutating func run() throws {
    try DataInfoJob.run(
      DataInfoOptions(source: source, decodes: decode, json: results.json))
  }
}
