import CommandSupport

/// `diffit sample`.
package struct SampleOptions: Equatable, Sendable {
  /// A checkpoint, or a run: its newest good checkpoint.
  package let checkpoint: String
  /// One image a seed.
  package let seeds: SeedList
  /// A folder for PNG files in sub-folders of a thousand; a `.zip` of such a folder; or an `.npz` with `arr_0`,
  /// uint8 [N, H, W, 3], and `arr_1`, int64 labels of a class-conditional network.
  package let output: String
  /// A PNG file for all images side by side.
  package let grid: String?
  /// A PNG file for the way from noise to image.
  package let trajectory: String?
  package let drawing: SamplingOptions

  /// - Throws: `ConfigurationError`; see `SamplingOptions`.
  package init(
    checkpoint: String, seeds: SeedList, output: String, grid: String? = nil,
    trajectory: String? = nil, drawing: SamplingOptions
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
