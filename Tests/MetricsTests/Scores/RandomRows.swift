import Metrics
import Scores

/// Correlated rows like those of a network: mostly positive, with zeros, from Philox.
func randomRows(
  _ count: Int, _ width: Int, seed: UInt64, shift: Float = 0, scale: Float = 1
) -> FeatureMatrix {
  var random = SystemlessGenerator(seed: seed)
  var values = [Float](repeating: 0, count: count * width)
  for row in 0..<count {
    let common = random.next()
    for index in 0..<width {
      let value = common + random.next() * (1 + Float(index % 5))
      values[row * width + index] = max(0, shift + scale * value)
    }
  }
  return FeatureMatrix(width: width, values: values)
}

/// Numbers in -1..<1 from a linear congruence: enough to fill a matrix with.
struct SystemlessGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

  mutating func next() -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(state >> 40) / Float(1 << 23) - 1
  }
}

/// Mean and covariance by the textbook, in two passes.
func plainGaussian(_ rows: FeatureMatrix) -> (mean: [Double], covariance: [Double]) {
  let (count, width) = (rows.count, rows.width)
  let values = rows.values.map(Double.init)
  let mean = (0..<width).map { index in
    (0..<count).reduce(0) { $0 + values[$1 * width + index] } / Double(count)
  }
  var covariance = [Double](repeating: 0, count: width * width)
  for row in 0..<count {
    for a in 0..<width {
      for b in 0..<width {
        covariance[a * width + b] +=
          (values[row * width + a] - mean[a]) * (values[row * width + b] - mean[b])
      }
    }
  }
  return (mean, covariance.map { $0 / Double(count - 1) })
}

func largestDifference(_ a: [Double], _ b: [Double]) -> Double {
  zip(a, b).reduce(a.count == b.count ? 0 : .infinity) { max($0, abs($1.0 - $1.1)) }
}
