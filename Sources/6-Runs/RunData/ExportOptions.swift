import CommandSupport
import Optimization

/// What `diffit export` is asked to do.
package struct ExportOptions: Equatable, Sendable {
  /// A checkpoint, a run (its newest good checkpoint), or a safetensors file.
  package var checkpoint: String
  /// The file, or for an autoencoder the folder, to write.
  package var output: String
  /// The average of the weights to write. Nil: the weights themselves.
  package var ema: String?
  /// A file of settings that names the network of a safetensors file. Nil: the file's metadata do.
  package var config: String?
  /// Whether the settings are left out, so that the bytes depend only on names and weights.
  package var isBare: Bool
  /// The length of a power-function average to make of the run's snapshots, and to write. Nil: none.
  package var length: Double?

  /// Checks the options.
  ///
  /// - Throws: `OptionError` for a length that no average has, or beside an average.
  package init(
    checkpoint: String, output: String, ema: String? = nil, config: String? = nil,
    isBare: Bool = false, length: Double? = nil
  ) throws(OptionError) {
    let lengths = PowerFunctionProfile.lengths
    try require(
      length.map(lengths.contains) ?? true, "--ema-length", length ?? 0,
      expected: "\(lengths.lowerBound) to \(lengths.upperBound)")
    try require(
      length == nil || ema == nil, "--ema-length", length ?? 0,
      expected: "no --ema beside it, which names an average that the run keeps")
    self.checkpoint = checkpoint
    self.output = output
    self.ema = ema
    (self.config, self.isBare, self.length) = (config, isBare, length)
  }
}
