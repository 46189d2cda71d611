import TensorCore

/// Pillow's bicubic filter along both axes, in floats.
struct BicubicFilters {
  let x: ResampleWeights
  let y: ResampleWeights
  let width: Int
  let side: Int

  init(_ image: RGBImage, side: Int) {
    x = ResampleWeights(.bicubic, from: image.width, to: side)
    y = ResampleWeights(.bicubic, from: image.height, to: side)
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
