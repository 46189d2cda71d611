import Datasets
import TensorCore

/// Along one axis: the samples that each output is made of, with f64 weights that sum to 1.
///
/// Source: Pillow's `ImagingResample` with its bicubic filter, Keys' kernel with a = -1/2, which widens
/// with the scale where it shrinks.
struct BicubicFilter {
  /// First sample of each output.
  let first: [Int]
  /// Output `i` has the weights `start[i]..<start[i + 1]`.
  let start: [Int]
  let weights: [Double]

  init(_ inputs: Int, _ outputs: Int) {
    let scale = Double(inputs) / Double(outputs)
    let stretch = max(scale, 1)
    var (first, start, weights) = ([Int](), [0], [Double]())
    for output in 0..<outputs {
      let center = (Double(output) + 0.5) * scale
      let begin = max(Int(center - 2 * stretch + 0.5), 0)
      let end = min(Int(center + 2 * stretch + 0.5), inputs)
      let raw = (begin..<end).map {
        BicubicFilter.kernel((Double($0) - center + 0.5) * (1 / stretch))
      }
      let sum = raw.reduce(0, +)
      first.append(begin)
      weights += raw.map { $0 / sum }
      start.append(weights.count)
    }
    (self.first, self.start, self.weights) = (first, start, weights)
  }

  private static func kernel(_ x: Double) -> Double {
    let x = abs(x)
    if x < 1 { return (1.5 * x - 2.5) * x * x + 1 }
    if x < 2 { return (((x - 5) * x + 8) * x - 4) * -0.5 }
    return 0
  }
}

/// The filters of both axes.
struct BicubicFilters {
  let x: BicubicFilter
  let y: BicubicFilter
  let width: Int
  let side: Int

  init(_ image: RGBImage, side: Int) {
    (x, y) = (BicubicFilter(image.width, side), BicubicFilter(image.height, side))
    (width, self.side) = (image.width, side)
  }

  /// Rows `rows` of the result: along x first, rounded to f32 as Pillow keeps it, then along y.
  ///
  /// - Parameter to: where row 0 of the result lies.
  @inline(__always)
  func resize(
    _ pixels: UnsafeBufferPointer<UInt8>, _ rows: Range<Int>, _ to: Floats,
    result: (Float) -> Float
  ) {
    guard let last = rows.last else { return }
    let values = side * 3
    let top = y.first[rows.lowerBound]
    let bottom = y.first[last] + y.start[last + 1] - y.start[last]
    var narrowed = [Float](repeating: 0, count: (bottom - top) * values)
    narrowed.withUnsafeMutableBufferPointer { narrowed in
      for row in top..<bottom {
        narrow(
          pixels, row, UnsafeMutableBufferPointer(rebasing: narrowed[((row - top) * values)...]))
      }
    }
    withUnsafeTemporaryAllocation(of: Double.self, capacity: values) { sums in
      narrowed.withUnsafeBufferPointer { narrowed in
        for row in rows {
          for i in 0..<values { sums[i] = 0 }
          for at in y.start[row]..<y.start[row + 1] {
            let weight = y.weights[at]
            let from = (y.first[row] + at - y.start[row] - top) * values
            for i in 0..<values { sums[i] += Double(narrowed[from + i]) * weight }
          }
          for i in 0..<values { to[row * values + i] = result(Float(sums[i])) }
        }
      }
    }
  }

  private func narrow(
    _ pixels: UnsafeBufferPointer<UInt8>, _ row: Int, _ to: UnsafeMutableBufferPointer<Float>
  ) {
    for i in 0..<side {
      var sum = SIMD3<Double>(repeating: 0)
      var from = (row * width + x.first[i]) * 3
      for at in x.start[i]..<x.start[i + 1] {
        let pixel = SIMD3(
          Double(pixels[from]), Double(pixels[from + 1]), Double(pixels[from + 2]))
        sum += pixel * x.weights[at]
        from += 3
      }
      for channel in 0..<3 { to[i * 3 + channel] = Float(sum[channel]) }
    }
  }
}
