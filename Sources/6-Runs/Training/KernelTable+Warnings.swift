import Configuration
import TensorCore

extension KernelTable.Level {
  /// A warning for the log where matrix products of `precision` are slow on this CPU; nil where
  /// they are not.
  package func warning(of precision: TrainSettings.Precision) -> String? {
    guard precision == .bf16 && !multipliesBF16 else { return nil }
    return
      "this CPU has no instructions for bf16: train.precision=fp32 is about twice as fast here,"
      + " bf16 takes less memory"
  }
}
