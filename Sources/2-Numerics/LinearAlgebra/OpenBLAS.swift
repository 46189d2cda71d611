import COpenBLAS
import TensorCore

/// The system's OpenBLAS: the baseline for our own kernels, and LAPACK for the metrics.
package enum OpenBLAS {
  /// The core type whose kernels OpenBLAS has loaded (`openblas_get_corename`), for instance
  /// "SkylakeX".
  package static var core: String { String(cString: copenblas_core()) }

  /// The core type that suits this CPU better; nil if the loaded one is the best.
  package static var betterCore: String? { copenblas_better_core().map { String(cString: $0) } }

  /// Makes the library single-threaded. If OpenBLAS took the CPU for an older one, it also starts
  /// the program again, once, with the right core type. Call it first in main; it costs
  /// microseconds if there is nothing to do. The environment variable `DIFFIT_OPENBLAS_CORE`, with
  /// any value, switches the restart off.
  package static func repairCore() { copenblas_repair() }

  /// c = a b (`cblas_sgemm`), on one thread. Shapes: a [M, K], b [K, N], c [M, N], all f32.
  package static func product(_ a: Tensor, _ b: Tensor, into c: Tensor) {
    let (m, k, n) = (a.shape[0], a.shape[1], b.shape[1])
    invariant(
      b.shape == [k, n] && c.shape == [m, n],
      "OpenBLAS.product: \(a.shape) by \(b.shape) into \(c.shape)")
    withFloats(a, b, c) { a, b, c in copenblas_sgemm(Int64(m), Int64(n), Int64(k), a, b, c) }
  }
}
