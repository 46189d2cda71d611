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

  /// Takes the options as they are.
  package init(
    checkpoint: String, output: String, ema: String? = nil, config: String? = nil,
    isBare: Bool = false
  ) {
    self.checkpoint = checkpoint
    self.output = output
    self.ema = ema
    (self.config, self.isBare) = (config, isBare)
  }
}
