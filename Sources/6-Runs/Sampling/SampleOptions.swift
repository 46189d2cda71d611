import CommandSupport

/// What `diffit sample` is asked to do.
package struct SampleOptions: Equatable, Sendable {
  /// A checkpoint, a run (its newest good checkpoint), or a safetensors file.
  package let checkpoint: String
  /// A file of settings that names the network of a safetensors file. Nil: the file's metadata do.
  package let config: String?
  /// One image is sampled per seed.
  package let seeds: SeedList
  /// A folder for PNG files, in sub-folders of a thousand files; a `.zip` of such a folder; or an
  /// `.npz` with `arr_0`, uint8 [N, H, W, 3], and `arr_1`, int64 labels of a class-conditional
  /// network.
  package let output: String
  /// A PNG file for all images side by side, if any.
  package let grid: String?
  /// A PNG file for the steps from noise to image, if any.
  package let trajectory: String?
  /// How the images are sampled.
  package let sampling: SamplingOptions

  /// Checks the options.
  ///
  /// - Throws: `OptionError` for a value that no run can take. It is not declared as the type,
  ///   because Swift 6.3 in release then takes a result of this size for an error.
  package init(
    checkpoint: String, config: String? = nil, seeds: SeedList, output: String, grid: String? = nil,
    trajectory: String? = nil, sampling: SamplingOptions
  ) throws {
    try sampling.validate()
    let kinds = "a folder, or a .npz or .zip file"
    try require(!output.isEmpty, "--out", "\"\"", expected: kinds)
    try requireFormat(output, "--out", [".npz", ".zip"], expected: kinds)
    if let grid { try requirePNG(grid, "--grid") }
    if let trajectory { try requirePNG(trajectory, "--trajectory") }
    (self.checkpoint, self.config) = (checkpoint, config)
    self.seeds = seeds
    self.output = output
    self.grid = grid
    self.trajectory = trajectory
    self.sampling = sampling
  }
}
