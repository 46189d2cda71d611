import ArgumentParser
import Training

struct NoiseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "noise",
    abstract: "Show a real image at chosen noise levels.",
    discussion: """
      Example: diffit noise cat.jpg --out noise.png --levels 0,0.5,2,10 --resolution 64
      """)

  @Argument(help: ArgumentHelp("A JPEG or PNG file.", valueName: "image"))
  var image: String

  @Option(name: .customLong("out"), help: ArgumentHelp("The file to write.", valueName: "file.png"))
  var output: String

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Standard deviations of the noise, for pixels in [-1, 1].", valueName: "list"))
  var levels = NoiseOptions.standardLevels

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Take the centred square, brought to this side. (default: as it is)", valueName: "n"))
  var resolution: Int?

  @Option(name: .long, help: ArgumentHelp("Seed of the noise.", valueName: "n"))
  var seed: UInt64 = 0

  mutating func run() throws {
    try NoiseJob.run(
      NoiseOptions(
        image: image, output: output, levels: levels, resolution: resolution, seed: seed))
  }
}
