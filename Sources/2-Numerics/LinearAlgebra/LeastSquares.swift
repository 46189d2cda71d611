import COpenBLAS
import TensorCore

/// Linear least squares for a few unknowns.
package enum LeastSquares {
  /// The x for which the squares of `rows` x - `targets` add up to the least.
  ///
  /// Columns are scaled to length 1 and factorised by LAPACK's `dgels`.
  ///
  /// Shapes: rows [M, N], targets [M] -> [N].
  ///
  /// - Parameter dependence: columns depend on each other where the part of one that the others do
  ///   not have is at most so long.
  /// - Returns: nil where there is no single x: fewer rows than columns, or columns that depend on
  ///   each other.
  package static func solve(
    _ rows: [[Double]], targets: [Double], dependence: Double = 1e-7
  ) -> [Double]? {
    let count = rows.first?.count ?? 0
    invariant(
      rows.count == targets.count && rows.allSatisfy { $0.count == count },
      "LeastSquares.solve: \(rows.count) rows for \(targets.count) targets")
    guard count > 0, rows.count >= count else { return nil }
    Matrices.prepare()
    let columns = (0..<count).map { index in rows.map { $0[index] } }
    let lengths = columns.map { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    guard lengths.allSatisfy({ $0 > 0 && $0.isFinite }) else { return nil }
    var a = zip(columns, lengths).flatMap { column, length in column.map { $0 / length } }
    var b = targets
    guard copenblas_least_squares(Int64(rows.count), Int64(count), &a, &b) == 0,
      (0..<count).allSatisfy({ abs(a[$0 * rows.count + $0]) > dependence })
    else { return nil }
    return zip(b, lengths).map { $0 / $1 }
  }
}
