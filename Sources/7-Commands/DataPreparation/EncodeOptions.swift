import CommandSupport
import Configuration

/// The options of `diffit data encode`.
package struct EncodeOptions: Equatable, Sendable {
  /// A data set of any kind.
  package let source: String
  /// A folder in diffusers' layout, a run or a checkpoint.
  package let vae: String
  /// A folder.
  package let output: String
  /// Side in pixels of the images that are encoded.
  package let resolution: Int
  /// Images that a rank encodes at once.
  package let batch: Int
  /// Whether mirrored images are encoded as well.
  package let flips: Bool
  /// Precision of the autoencoder and of the latents in the files.
  package let precision: TrainSettings.Precision
  /// Images per file.
  package let fileImages: Int
  /// Only so many images from the first on are taken. Nil: all.
  package let maxImages: Int?
  /// A file for the results; `-`: standard output.
  package let json: String?

  /// Checks the values.
  package init(
    source: String, vae: String, output: String, resolution: Int, batch: Int = 16,
    flips: Bool = true, precision: TrainSettings.Precision = .fp32, fileImages: Int = 1000,
    maxImages: Int? = nil, json: String? = nil
  ) throws {
    try require(!output.isEmpty, "--out", "\"\"", expected: "a folder")
    try requireFormat(output, "--out", [], expected: "a folder")
    try require(!vae.isEmpty, "--vae", "\"\"", expected: "an autoencoder")
    try require(
      (1...8192).contains(resolution), "--resolution", resolution, expected: "1 to 8192 pixels")
    try require((1...65_536).contains(batch), "--batch", batch, expected: "1 to 65536")
    try require(
      (1...1_000_000).contains(fileImages), "--file-images", fileImages, expected: "1 to 1000000")
    try require(maxImages ?? 1 >= 1, "--max-images", maxImages ?? 1, expected: "1 or more")
    var output = output
    while output.count > 1 && output.hasSuffix("/") { output.removeLast() }
    (self.source, self.vae, self.output) = (source, vae, output)
    (self.resolution, self.batch, self.flips) = (resolution, batch, flips)
    (self.precision, self.fileImages) = (precision, fileImages)
    (self.maxImages, self.json) = (maxImages, json)
  }
}
