import COpenBLAS
import Collectives
import TensorCore

/// The two passes of precision and recall over blocks of rows that all ranks see.
struct NeighbourScene {
  /// Rows that all ranks see at once.
  static let blockRows = 2048
  /// Own rows that one call of the library compares with a block.
  static let tileRows = 256

  let threads: ThreadPool
  let communicator: any Communicator

  /// For each own row the squared distance to its k-th nearest other row, of all ranks' rows.
  func radii(of rows: FeatureMatrix, neighbours: Int) throws(CommunicationError) -> [Double] {
    // The nearest to a row is the row itself, or one equal to it: the (k + 1)-th counts.
    let kept = neighbours + 1
    var nearest = [Double](repeating: .infinity, count: rows.count * kept)
    let all = Array(0..<rows.count)
    try rows.forEachBlock(of: NeighbourScene.blockRows, over: communicator) { block, _ in
      let bound = DistanceBound(width: block.width)
      nearest.withUnsafeMutableBufferPointer { nearest in
        guard let nearest = nearest.baseAddress else { return }
        compare(rows, all, with: block) { row, comparison in
          let best = nearest + row * kept
          for column in 0..<block.count {
            let (squares, product) = comparison.pair(column)
            if bound.bounds(squares: squares, product: product).lower > best[kept - 1] { continue }
            insert(comparison.exact(column), into: best, count: kept)
          }
        }
      }
    }
    return (0..<rows.count).map { nearest[$0 * kept + kept - 1] }
  }

  /// How many of this rank's `candidates` lie in a ball around any of all ranks' `rows`.
  func insiders(
    of rows: FeatureMatrix, _ radii: [Double], among candidates: FeatureMatrix
  ) throws(CommunicationError) -> Int {
    var inside = [Bool](repeating: false, count: candidates.count)
    try rows.forEachBlock(of: NeighbourScene.blockRows, with: radii, over: communicator) {
      block, radii in
      let bound = DistanceBound(width: block.width)
      let open = inside.indices.filter { !inside[$0] }
      inside.withUnsafeMutableBufferPointer { inside in
        guard let inside = inside.baseAddress else { return }
        compare(candidates, open, with: block) { row, comparison in
          for column in 0..<block.count {
            let (squares, product) = comparison.pair(column)
            let (lower, upper) = bound.bounds(squares: squares, product: product)
            if lower > radii[column] { continue }
            if upper <= radii[column] || comparison.exact(column) <= radii[column] {
              inside[row] = true
              break
            }
          }
        }
      }
    }
    return inside.count { $0 }
  }

  /// Multiplies the `chosen` own rows by a block, a tile at a time, and hands each row to `body`;
  /// rows are split over the threads.
  private func compare(
    _ rows: FeatureMatrix, _ chosen: [Int], with block: FeatureMatrix,
    _ body: (Int, RowComparison) -> Void
  ) {
    let (width, columns) = (rows.width, block.count)
    let centred = CentredRows(aroundMeanOf: block)
    rows.values.withUnsafeBufferPointer { all in
      block.values.withUnsafeBufferPointer { others in
        guard let own = all.baseAddress, let others = others.baseAddress else { return }
        threads.forRanges(of: chosen.count, grain: 32) { range in
          var tile = CentredRows(around: centred.centre)
          var products = [Float](repeating: 0, count: NeighbourScene.tileRows * columns)
          for start in stride(
            from: range.lowerBound, to: range.upperBound, by: NeighbourScene.tileRows)
          {
            let part = Array(chosen[start..<min(start + NeighbourScene.tileRows, range.upperBound)])
            tile.take(all, part)
            products.withUnsafeMutableBufferPointer { products in
              guard let products = products.baseAddress else { return }
              copenblas_row_products(
                Int64(part.count), Int64(columns), Int64(width), tile.values, centred.values,
                products)
              centred.squares.withUnsafeBufferPointer { squares in
                guard let squares = squares.baseAddress else { return }
                for (index, row) in part.enumerated() {
                  body(
                    row,
                    RowComparison(
                      square: tile.squares[index], squares: squares,
                      products: products + index * columns, row: own + row * width, others: others,
                      width: width))
                }
              }
            }
          }
        }
      }
    }
  }

  @inline(__always)
  private func insert(
    _ distance: Double, into best: UnsafeMutablePointer<Double>, count: Int
  ) {
    guard distance < best[count - 1] else { return }
    var place = count - 1
    while place > 0 && best[place - 1] > distance {
      best[place] = best[place - 1]
      place -= 1
    }
    best[place] = distance
  }
}

/// One row against the rows of a block; valid while `compare` hands it out.
private struct RowComparison {
  let square: Double
  let squares: UnsafePointer<Double>
  let products: UnsafePointer<Float>
  let row: UnsafePointer<Float>
  let others: UnsafePointer<Float>
  let width: Int

  /// Both squared lengths together, and the product.
  @inline(__always)
  func pair(_ column: Int) -> (squares: Double, product: Float) {
    (square + squares[column], products[column])
  }

  @inline(__always)
  func exact(_ column: Int) -> Double {
    DistanceBound.exact(row, others + column * width, width: width)
  }
}
