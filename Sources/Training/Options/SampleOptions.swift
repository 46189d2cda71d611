/// `diffit sample`.
public struct SampleOptions: Equatable, Sendable {
  /// A checkpoint, or a run: its newest good checkpoint.
  public let checkpoint: String
  /// One image a seed.
  public let seeds: SeedList
  /// A folder for PNG files in sub-folders of a thousand; a `.zip` of such a folder; or an `.npz` with `arr_0`,
  /// uint8 [N, H, W, 3], and `arr_1`, int64 labels of a class-conditional network.
  public let output: String
  /// A PNG file for all images side by side.
  public let grid: String?
  /// A PNG file for the way from noise to image.
  public let trajectory: String?
  public let drawing: DrawingOptions

  /// - Throws: `ConfigurationError`; see `DrawingOptions`.
  public init(
    checkpoint: String, seeds: SeedList, output: String, grid: String? = nil,
    trajectory: String? = nil, drawing: DrawingOptions
  ) throws {
    try require(!output.isEmpty, "--out", "\"\"", expected: "a folder, or a .npz or .zip file")
    self.checkpoint = checkpoint
    self.seeds = seeds
    self.output = output
    self.grid = grid
    self.trajectory = trajectory
    self.drawing = drawing
  }
}
