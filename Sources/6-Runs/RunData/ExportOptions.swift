/// `diffit export`.
package struct ExportOptions: Equatable, Sendable {
  /// A checkpoint, or a run: its newest good checkpoint.
  package var checkpoint: String
  package var output: String
  /// The average to write. Nil: the weights themselves.
  package var ema: String?

  package init(checkpoint: String, output: String, ema: String? = nil) {
    self.checkpoint = checkpoint
    self.output = output
    self.ema = ema
  }
}
