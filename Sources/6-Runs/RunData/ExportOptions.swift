/// What `diffit export` is asked to do.
package struct ExportOptions: Equatable, Sendable {
  /// A checkpoint, or a run: its newest good checkpoint.
  package var checkpoint: String
  /// The file, or for an autoencoder the folder, to write.
  package var output: String
  /// The average of the weights to write. Nil: the weights themselves.
  package var ema: String?

  /// Takes the options as they are.
  package init(checkpoint: String, output: String, ema: String? = nil) {
    self.checkpoint = checkpoint
    self.output = output
    self.ema = ema
  }
}
