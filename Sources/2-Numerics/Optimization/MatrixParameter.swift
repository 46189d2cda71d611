import TensorCore

/// A tensor of the flat weights that Muon updates: one matrix, or several side by side, such as
/// those of queries, keys and values.
public struct MatrixParameter: Sendable, Hashable {
  /// The tensor's elements in the flat weights, row by row.
  public let range: Range<Int>
  /// Rows, the fan-in: input channels, times the kernel's size of a convolution.
  public let rows: Int
  /// Number of matrices side by side, each with as many columns.
  public let parts: Int
  /// Columns of one matrix, the fan-out.
  public var columns: Int { range.count / rows / parts }

  /// A tensor of `rows` rows in `range`, with `parts` matrices side by side.
  public init(_ range: Range<Int>, rows: Int, parts: Int = 1) {
    invariant(
      rows > 0 && parts > 0 && !range.isEmpty && range.count % (rows * parts) == 0,
      "MatrixParameter: \(range) as \(parts) matrices of \(rows) rows")
    (self.range, self.rows, self.parts) = (range, rows, parts)
  }

  /// What orthogonalising the matrices costs, up to a constant factor.
  var cost: Int { range.count * min(rows, columns) }

  /// The factor after orthogonalisation, 0.2 sqrt(max(fan-in, fan-out)), with which updates have
  /// the root mean square of Adam's. Source: Liu et al., "Muon is scalable for LLM training",
  /// arXiv:2502.16982, eq. (4).
  var scale: Float { 0.2 * Float(max(rows, columns)).squareRoot() }

  /// Replaces the matrices, in the flat tensor, by their orthogonalised forms times `scale`.
  func orthogonalize(in flat: Tensor) {
    for part in 0..<parts {
      // The longer side becomes the rows.
      let isTall = rows >= columns
      let tall = Tensor([max(rows, columns), min(rows, columns)], on: flat.context)
      copy(part, between: flat, and: tall, transposed: !isTall, scale: nil)
      let result = NewtonSchulz.orthogonalized(tall)
      copy(part, between: flat, and: result, transposed: !isTall, scale: scale)
    }
  }

  /// Copies a matrix out of the flat tensor, or with `scale` back into it, times that.
  private func copy(
    _ part: Int, between flat: Tensor, and matrix: Tensor, transposed: Bool, scale: Float?
  ) {
    let (stride, columns) = (parts * columns, columns)
    let start = range.lowerBound + part * columns
    let threads = flat.context.threads
    withFloats(flat, matrix) { flat, matrix in
      threads.forRanges(of: rows, grain: 64) { range in
        for row in range {
          let place = flat + start + row * stride
          for column in 0..<columns {
            let at = transposed ? column * rows + row : row * columns + column
            if let scale { place[column] = scale * matrix[at] } else { matrix[at] = place[column] }
          }
        }
      }
    }
  }

  /// Divides matrices among ranks: consecutive runs of about the same cost, one per rank. Which rank
  /// works on a matrix has no influence on the result.
  ///
  /// - Parameter matrices: in the order of the flat weights.
  public static func shares(of matrices: [MatrixParameter], ranks: Int) -> [Range<Int>] {
    let total = max(matrices.reduce(0) { $0 + $1.cost }, 1)
    var (before, cuts) = (0, [0])
    for (index, matrix) in matrices.enumerated() {
      // A matrix belongs to the rank in whose share of the cost its middle lies.
      let owner = min((2 * before + matrix.cost) * ranks / (2 * total), ranks - 1)
      while cuts.count <= owner { cuts.append(index) }
      before += matrix.cost
    }
    while cuts.count <= ranks { cuts.append(matrices.count) }
    return (0..<ranks).map { cuts[$0]..<cuts[$0 + 1] }
  }
}
