import COpenBLAS
import LinearAlgebra
import TensorCore

/// Kernel distance: squared maximum mean discrepancy of subsets, with a polynomial kernel; KID
/// where features are Inception's.
///
/// Source: Binkowski et al., arXiv:1801.01401, section 4; Gretton et al. (2012), eq. (3), unbiased.
/// Subsets are chosen as torch-fidelity 0.4.0 does: samples, then reference, subset by subset, from
/// one generator.
package enum KernelDistance {
  /// How the distance is computed.
  package struct Options: Sendable, Equatable {
    /// Number of subsets.
    package var subsets: Int
    /// Images per subset of either side; both sides need as many.
    package var subsetSize: Int
    /// Seed of the NumPy generator that chooses the subsets.
    package var seed: UInt32
    /// The kernel is (gamma x.y + offset)^degree.
    package var degree: Int
    /// Nil: one over the number of features.
    package var gamma: Double?
    /// The kernel's constant term.
    package var offset: Double

    /// torch-fidelity's values.
    package init(
      subsets: Int = 100, subsetSize: Int = 1000, seed: UInt32 = 2020, degree: Int = 3,
      gamma: Double? = nil, offset: Double = 1
    ) {
      (self.subsets, self.subsetSize, self.seed) = (subsets, subsetSize, seed)
      (self.degree, self.gamma, self.offset) = (degree, gamma, offset)
    }
  }

  /// Mean and population standard deviation over subsets; the mean may be slightly below zero.
  ///
  /// Shapes: samples [N, width], reference [M, width]. All in f64 (torch-fidelity computes in f32).
  /// Memory: two subsets in f64 per thread (33 MB for 1000 x 2048); kernel matrices exist only in
  /// tiles.
  ///
  /// - Throws: `widthMismatch`, `tooFewImages` below a subset's size, `nonFiniteFeature`.
  package static func between(
    _ samples: FeatureMatrix, _ reference: FeatureMatrix, _ options: Options = Options(),
    on threads: ThreadPool
  ) throws -> MeanAndDeviation {
    invariant(
      options.subsets > 0 && options.subsetSize > 1 && options.degree > 0,
      "KernelDistance: \(options.subsets) subsets of \(options.subsetSize), degree"
        + " \(options.degree)"
    )
    guard samples.width == reference.width else {
      throw MetricsError.widthMismatch(
        metric: "kid", samples: samples.width, reference: reference.width)
    }
    for (side, count) in [(MetricSide.samples, samples.count), (.reference, reference.count)]
    where count < options.subsetSize {
      throw MetricsError.tooFewImages(
        metric: "kid", side: side, found: count, needed: options.subsetSize)
    }
    try samples.requireFinite(.pool2048)
    try reference.requireFinite(.pool2048)

    var random = NumPyRandom(seed: options.seed)
    let draws = (0..<options.subsets).map { _ in
      (
        samples: random.choice(samples.count, size: options.subsetSize),
        reference: random.choice(reference.count, size: options.subsetSize)
      )
    }
    Matrices.prepare()
    let kernel = Kernel(width: samples.width, options)
    var distances = [Double](repeating: 0, count: options.subsets)
    distances.withUnsafeMutableBufferPointer { distances in
      guard let distances = distances.baseAddress else { return }
      threads.forRanges(of: draws.count) { subsets in
        for subset in subsets {
          distances[subset] = kernel.discrepancy(
            samples.doubles(draws[subset].samples), reference.doubles(draws[subset].reference))
        }
      }
    }
    return MeanAndDeviation(of: distances)
  }
}

/// The polynomial kernel of rows of `width` numbers.
private struct Kernel {
  let width: Int
  let degree: Int
  let gamma: Double
  let offset: Double

  init(width: Int, _ options: KernelDistance.Options) {
    self.width = width
    (degree, gamma, offset) = (options.degree, options.gamma ?? 1 / Double(width), options.offset)
  }

  /// The mean of k(x, x') and k(y, y') over different rows, less twice that of k(x, y).
  func discrepancy(_ x: [Double], _ y: [Double]) -> Double {
    let count = Double(x.count / width)
    return (sumOfPairs(x) + sumOfPairs(y)) / (count * (count - 1)) - 2 * sum(x, y) / (count * count)
  }

  /// Over all rows of x and all of y.
  private func sum(_ x: [Double], _ y: [Double]) -> Double {
    let (rows, columns) = (tiles(of: x), tiles(of: y))
    return rows.reduce(0) { total, rows in
      columns.reduce(total) { $0 + sum(x, rows, y, $1, diagonal: true) }
    }
  }

  /// Over all pairs of different rows of x, either way round.
  private func sumOfPairs(_ x: [Double]) -> Double {
    Matrices.upperTiles(of: x.count / width).reduce(0) { total, tile in
      let same = tile.rows == tile.columns
      return total + (same ? 1 : 2) * sum(x, tile.rows, x, tile.columns, diagonal: !same)
    }
  }

  /// Over rows of x and of y; without `diagonal` those of the same number are left out.
  private func sum(
    _ x: [Double], _ rows: Range<Int>, _ y: [Double], _ columns: Range<Int>, diagonal: Bool
  ) -> Double {
    var products = [Double](repeating: 0, count: rows.count * columns.count)
    products.withUnsafeMutableBufferPointer { products in
      x.withUnsafeBufferPointer { x in
        y.withUnsafeBufferPointer { y in
          guard let to = products.baseAddress, let x = x.baseAddress, let y = y.baseAddress else {
            return
          }
          copenblas_dgemm(
            0, 1, Int64(rows.count), Int64(columns.count), Int64(width),
            x + rows.lowerBound * width, Int64(width), y + columns.lowerBound * width, Int64(width),
            0, to, Int64(columns.count))
        }
      }
    }
    var total = 0.0
    for row in 0..<rows.count {
      var sum = 0.0
      for column in 0..<columns.count where diagonal || column != row {
        sum += power(products[row * columns.count + column] * gamma + offset)
      }
      total += sum
    }
    return total
  }

  private func power(_ base: Double) -> Double {
    var result = base
    for _ in 1..<degree { result *= base }
    return result
  }

  private func tiles(of x: [Double]) -> [Range<Int>] {
    let count = x.count / width
    return stride(from: 0, to: count, by: Matrices.tile).map {
      $0..<min($0 + Matrices.tile, count)
    }
  }
}

extension FeatureMatrix {
  /// The chosen rows in f64.
  fileprivate func doubles(_ rows: [Int]) -> [Double] {
    var result: [Double] = []
    result.reserveCapacity(rows.count * width)
    for row in rows {
      for value in values[row * width..<(row + 1) * width] { result.append(Double(value)) }
    }
    return result
  }
}
