import TensorCore

/// What an f32 product says about a squared distance, for certain.
///
/// Rows are moved by a common centre and rounded, y = x - c, which takes away most of their common
/// length. |x1 - x2|^2 is then s1 + s2 - 2 y1.y2 with s = |y|^2 in f64. Rounding the rows changes
/// it by less than 4 u (s1 + s2), u = 2^-24. A sum of n f32 products in any order is off by less
/// than g |y1||y2| <= g (s1 + s2) / 2, g = n u / (1 - n u) (Higham, "Accuracy and stability of
/// numerical algorithms", section 3.1), and counts twice. Another 4 u covers what is left: u^2, and
/// f64.
struct DistanceBound {
  private let relative: Double
  /// For products that underflow.
  private let absolute: Double

  init(width: Int) {
    let unit = 0x1p-24
    let sum = Double(width) * unit
    invariant(sum < 0.5, "DistanceBound: rows of \(width)")
    relative = sum / (1 - sum) + 8 * unit
    absolute = Double(width) * 0x1p-124
  }

  /// Neither is a number where the product overflowed; comparisons with it are false.
  @inline(__always)
  func bounds(squares: Double, product: Float) -> (lower: Double, upper: Double) {
    let middle = squares - 2 * Double(product)
    let margin = squares * relative + absolute
    return (middle - margin, middle + margin)
  }

  /// The squared distance in f64, the same either way round.
  @inline(__always)
  static func exact(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, width: Int
  ) -> Double {
    var (first, second) = (SIMD4<Double>.zero, SIMD4<Double>.zero)
    var index = 0
    while index + 8 <= width {
      let x = UnsafeRawPointer(a + index).loadUnaligned(as: SIMD8<Float>.self)
      let y = UnsafeRawPointer(b + index).loadUnaligned(as: SIMD8<Float>.self)
      let low = SIMD4<Double>(x.lowHalf) - SIMD4<Double>(y.lowHalf)
      let high = SIMD4<Double>(x.highHalf) - SIMD4<Double>(y.highHalf)
      first += low * low
      second += high * high
      index += 8
    }
    var sum = (first + second).sum()
    while index < width {
      let difference = Double(a[index]) - Double(b[index])
      sum += difference * difference
      index += 1
    }
    return sum
  }
}

/// Rows brought to a centre, with the squares of their lengths.
struct CentredRows {
  private(set) var values: [Float] = []
  private(set) var squares: [Double] = []
  let centre: [Float]

  /// Around the mean of `rows`, which need not be exact: a centre changes margins, not decisions.
  init(aroundMeanOf rows: FeatureMatrix) {
    let width = rows.width
    var sums = [Double](repeating: 0, count: width)
    for row in 0..<rows.count {
      for index in 0..<width { sums[index] += Double(rows.values[row * width + index]) }
    }
    centre = sums.map { Float($0 / Double(max(rows.count, 1))) }
    rows.values.withUnsafeBufferPointer { take($0, Array(0..<rows.count)) }
  }

  init(around centre: [Float]) { self.centre = centre }

  /// Becomes the rows `chosen` of `all`.
  mutating func take(_ all: UnsafeBufferPointer<Float>, _ chosen: [Int]) {
    let width = centre.count
    values.removeAll(keepingCapacity: true)
    squares.removeAll(keepingCapacity: true)
    values.reserveCapacity(chosen.count * width)
    for row in chosen {
      var square = 0.0
      for index in 0..<width {
        let value = Float(Double(all[row * width + index]) - Double(centre[index]))
        values.append(value)
        square += Double(value) * Double(value)
      }
      squares.append(square)
    }
  }
}
