/// `diffit noise`.
public struct NoiseOptions: Equatable, Sendable {
  /// A JPEG or PNG file.
  public let image: String
  /// The PNG file to write.
  public let output: String
  /// Standard deviations of the noise, for pixels in [-1, 1].
  public let levels: [Double]
  /// Side that the image is brought to; nil: it stays as it is.
  public let resolution: Int?
  public let seed: UInt64

  /// Noise levels of the figure without `--levels`.
  public static let standardLevels = "0,0.1,0.2,0.5,1,2,5,20,80"

  public init(
    image: String, output: String, levels: String = standardLevels, resolution: Int? = nil,
    seed: UInt64 = 0
  ) throws(ConfigurationError) {
    let numbers = levels.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
    guard numbers.allSatisfy({ $0.map { $0 >= 0 && $0.isFinite } ?? false }) else {
      throw .badOption(
        option: "--levels", found: levels,
        expected: "noise levels from 0 on, separated by commas, such as 0,0.5,2")
    }
    try require(
      resolution.map { (1...8192).contains($0) } ?? true, "--resolution", resolution ?? 0,
      expected: "1 to 8192 pixels")
    self.image = image
    self.output = output
    self.levels = numbers.compactMap(\.self)
    self.resolution = resolution
    self.seed = seed
  }
}
