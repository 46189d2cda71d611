import CommandSupport
import Configuration

/// What `diffit noise` is asked to do.
package struct NoiseOptions: Equatable, Sendable {
  /// A JPEG or PNG file.
  package let image: String
  /// The PNG file to write.
  package let output: String
  /// The noise levels or timesteps to show.
  package let noise: Noise
  /// Pixels per side of the centred square that the image is resized to; nil: it stays as it is.
  package let resolution: Int?
  /// Seed of the noise.
  package let seed: UInt64

  /// How much noise is added, one value per image of the strip.
  package enum Noise: Equatable, Sendable {
    /// y + sigma n: standard deviations, for pixels in [-1, 1].
    case levels([Double])
    /// sqrt(alpha-bar) y + sqrt(1 - alpha-bar) n: timesteps of DDPM's `steps`.
    case timesteps([Int], schedule: DiffusionSettings.Schedule, steps: Int)
  }

  /// Noise levels that are shown where nothing else is said.
  package static let standardLevels = "0,0.1,0.2,0.5,1,2,5,20,80"
  /// The most images side by side.
  private static let mostLevels = 1000
  /// Number of DDPM's timesteps where `--steps` does not say.
  package static let standardSteps = 500

  /// Checks the options.
  ///
  /// - Parameters:
  ///   - levels: the values of `Noise.levels`, separated by commas; nil without `timesteps`: the
  ///     standard ones.
  ///   - timesteps: the values of `Noise.timesteps`, separated by commas, instead of levels.
  ///   - schedule: how the noise grows with the timestep; nil: linear.
  ///   - steps: how many timesteps there are; nil: 500.
  package init(
    image: String, output: String, levels: String? = nil, timesteps: String? = nil,
    schedule: DiffusionSettings.Schedule? = nil, steps: Int? = nil, resolution: Int? = nil,
    seed: UInt64 = 0
  ) throws(OptionError) {
    try requirePNG(output, "--out")
    if let timesteps {
      try require(
        levels == nil, "--levels", levels ?? "",
        expected: "nothing beside --timesteps, which say it already")
      noise = try Self.timesteps(timesteps, schedule ?? .linear, of: steps ?? Self.standardSteps)
    } else {
      try require(
        schedule == nil, "--schedule", schedule?.rawValue ?? "", expected: "--timesteps beside it")
      try require(steps == nil, "--steps", steps ?? 0, expected: "--timesteps beside it")
      noise = try Self.levels(levels ?? Self.standardLevels)
    }
    try require(
      resolution.map { (1...8192).contains($0) } ?? true, "--resolution", resolution ?? 0,
      expected: "1 to 8192 pixels")
    self.image = image
    self.output = output
    self.resolution = resolution
    self.seed = seed
  }

  private static func levels(_ text: String) throws(OptionError) -> Noise {
    let numbers = fields(text).map { Double($0) }
    guard numbers.count <= mostLevels,
      numbers.allSatisfy({ $0.map { (0...1e30).contains($0) } ?? false })
    else {
      throw OptionError(
        option: "--levels", found: text,
        expected: "up to \(mostLevels) noise levels from 0 to 1e30, separated by commas, such as"
          + " 0,0.5,2")
    }
    return .levels(numbers.compactMap(\.self))
  }

  private static func timesteps(
    _ text: String, _ schedule: DiffusionSettings.Schedule, of steps: Int
  ) throws(OptionError) -> Noise {
    let most = schedule.mostSteps
    try require(
      (2...most).contains(steps), "--steps", steps,
      expected: "2 to \(most) timesteps with the schedule \(schedule.rawValue)")
    let numbers = fields(text).map { Int($0) }
    guard numbers.count <= mostLevels,
      numbers.allSatisfy({ $0.map { (0..<steps).contains($0) } ?? false })
    else {
      throw OptionError(
        option: "--timesteps", found: text,
        expected: "up to \(mostLevels) whole numbers from 0 to \(steps - 1), separated by commas,"
          + " such as 0,50,100")
    }
    return .timesteps(numbers.compactMap(\.self), schedule: schedule, steps: steps)
  }

  private static func fields(_ text: String) -> [Substring] {
    text.split(separator: ",", omittingEmptySubsequences: false)
  }
}
