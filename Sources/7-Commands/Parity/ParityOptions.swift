import CommandSupport
import Configuration
import TensorCore

/// `diffit parity`.
package struct ParityOptions: Equatable, Sendable {
  /// A safetensors file made by `make_golden.py`.
  package let golden: String
  /// Precision of activations and products.
  package let precision: TrainSettings.Precision
  /// 0: one per core.
  package let threads: Int
  /// Largest relative error that passes.
  package let tolerance: Double
  /// A file for the results; `-`: standard output.
  package let json: String?

  /// - Parameter tolerance: nil: 1e-4 for fp32, 3e-2 for bf16.
  package init(
    golden: String, precision: TrainSettings.Precision = .fp32, threads: Int = 0,
    tolerance: Double? = nil, json: String? = nil
  ) throws(OptionError) {
    try require(
      (0...ThreadPool.largestCount).contains(threads), "--threads", threads,
      expected: "0 (one per core) to \(ThreadPool.largestCount)")
    let isTolerance = tolerance.map { $0 > 0 && $0.isFinite } ?? true
    try require(isTolerance, "--tolerance", tolerance ?? 0, expected: "a number above 0")
    self.golden = golden
    self.precision = precision
    self.threads = threads
    self.tolerance = tolerance ?? (precision == .fp32 ? 1e-4 : 3e-2)
    self.json = json
  }
}
