import ArgumentParser
import Configuration
import Sampling

struct NoiseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "noise",
    abstract: "Show a real image at chosen noise levels.",
    discussion: """
      Example: diffit noise cat.jpg --out noise.png --levels 0,0.5,2,10 --resolution 64
               diffit noise cat.jpg --out noise.png --timesteps 0,50,100,200,300,499

      Levels are EDM's, y + sigma n. Timesteps are DDPM's, sqrt(alpha-bar) y + sqrt(1 - alpha-bar) n, in
      which images keep their contrast between -1 and 1.
      """)

  @Argument(help: ArgumentHelp("A JPEG or PNG file.", valueName: "image"))
  var image: String

  @Option(name: .customLong("out"), help: ArgumentHelp("The file to write.", valueName: "file.png"))
  var output: String

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Standard deviations of the noise, for pixels in [-1, 1]."
        + " (default: \(NoiseOptions.standardLevels), without --timesteps)", valueName: "list"))
  var levels: String?

  @Option(
    name: .long,
    help: ArgumentHelp("DDPM's timesteps, from 0 on, instead of levels.", valueName: "list"))
  var timesteps: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "How DDPM's noise grows, linear or cosine. (default: linear)", valueName: "name"))
  var schedule: DiffusionSettings.Schedule?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "DDPM's timesteps in all. (default: \(NoiseOptions.standardSteps))", valueName: "n"))
  var steps: Int?

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
        image: image, output: output, levels: levels, timesteps: timesteps, schedule: schedule,
        steps: steps, resolution: resolution, seed: seed))
  }
}
