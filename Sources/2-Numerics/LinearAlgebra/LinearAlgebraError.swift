/// Why a computation of dense linear algebra has no result.
package enum LinearAlgebraError: Error, Equatable, Sendable {
  /// LAPACK's symmetric eigensolver did not converge; `status` is its return value.
  case eigensolver(width: Int, status: Int)
}

extension LinearAlgebraError: CustomStringConvertible {
  /// The error as one line that says what failed and what to check.
  package var description: String {
    switch self {
    case .eigensolver(let width, let status):
      "LAPACK's dsyevd failed on a \(width) x \(width) matrix (status \(status)); check free memory"
        + " and the OpenBLAS library"
    }
  }
}
