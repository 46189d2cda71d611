import COpenBLAS
import TensorCore

/// A pointer to the elements of a dense f64 matrix, row by row.
package typealias Doubles = UnsafeMutablePointer<Double>

/// Dense f64 linear algebra on the threads of a rank. OpenBLAS itself stays single-threaded: a
/// product is cut into tiles of a fixed size, so that its bits do not depend on the number of
/// threads.
package enum Matrices {
  /// How many rows, and in symmetric results also columns, one library call computes.
  package static let tile = 256

  /// Makes OpenBLAS single-threaded, once per process.
  private static let library: Void = copenblas_single_thread()
  /// Makes OpenBLAS single-threaded. Every operation here calls it; calling it again costs nothing.
  package static func prepare() { _ = library }

  /// The tiles of the upper triangle of a [width, width] matrix.
  package static func upperTiles(of width: Int) -> [(rows: Range<Int>, columns: Range<Int>)] {
    let ranges = stride(from: 0, to: width, by: tile).map { $0..<min($0 + tile, width) }
    return ranges.indices.flatMap { row in
      ranges[row...].map { (rows: ranges[row], columns: $0) }
    }
  }

  /// Adds x^T x to the upper triangle of `sum`. Within a tile, elements below the diagonal are
  /// added to as well.
  ///
  /// Shapes: x [count, width], sum [width, width].
  package static func addProducts(
    of x: UnsafePointer<Double>, count: Int, width: Int, to sum: Doubles, on threads: ThreadPool
  ) {
    prepare()
    let tiles = upperTiles(of: width)
    threads.forRanges(of: tiles.count) { range in
      for (rows, columns) in tiles[range] {
        copenblas_dgemm(
          1, 0, Int64(rows.count), Int64(columns.count), Int64(count), x + rows.lowerBound,
          Int64(width), x + columns.lowerBound, Int64(width), 1,
          sum + rows.lowerBound * width + columns.lowerBound, Int64(width))
      }
    }
  }

  /// a b, or a b^T. Shapes: a [m, k], b [k, n] or [n, k] -> [m, n].
  package static func product(
    _ a: [Double], _ b: [Double], transposed: Bool, rows m: Int, columns n: Int,
    on threads: ThreadPool
  ) -> [Double] {
    prepare()
    let k = a.count / max(m, 1)
    invariant(
      m > 0 && n > 0 && a.count == m * k && b.count == n * k,
      "product: \(a.count) by \(b.count) elements for [\(m), \(n)]")
    var result = [Double](repeating: 0, count: m * n)
    result.withUnsafeMutableBufferPointer { result in
      a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
          guard let to = result.baseAddress, let a = a.baseAddress, let b = b.baseAddress else {
            return
          }
          threads.forRanges(of: m, grain: tile) { range in
            for row in stride(from: range.lowerBound, to: range.upperBound, by: tile) {
              let count = min(tile, range.upperBound - row)
              copenblas_dgemm(
                0, transposed ? 1 : 0, Int64(count), Int64(n), Int64(k), a + row * k, Int64(k), b,
                Int64(transposed ? k : n), 0, to + row * n, Int64(n))
            }
          }
        }
      }
    }
    return result
  }

  /// The eigenvalues of a symmetric matrix, ascending. With `vectors`, row i of the second result
  /// is the unit eigenvector of the i-th eigenvalue; otherwise it is empty.
  ///
  /// - Throws: `eigensolver` if LAPACK's `dsyevd` does not converge.
  package static func eigen(
    _ matrix: [Double], width: Int, vectors: Bool
  ) throws(LinearAlgebraError) -> (values: [Double], vectors: [Double]) {
    prepare()
    invariant(
      matrix.count == width * width, "eigen: \(matrix.count) elements for [\(width), \(width)]")
    var (matrix, values) = (matrix, [Double](repeating: 0, count: width))
    let status = matrix.withUnsafeMutableBufferPointer { a in
      values.withUnsafeMutableBufferPointer { values in
        guard let a = a.baseAddress, let values = values.baseAddress else { return Int32(0) }
        return copenblas_eigen(Int64(width), vectors ? 1 : 0, a, values)
      }
    }
    guard status == 0 else { throw .eigensolver(width: width, status: Int(status)) }
    return (values, vectors ? matrix : [])
  }
}
