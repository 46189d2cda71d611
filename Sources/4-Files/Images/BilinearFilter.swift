import TensorCore

/// Along one axis: the two samples that each output is made of, and the second one's share.
struct BilinearFilter {
  let low: [Int]
  let high: [Int]
  let share: [Float]
  /// How the two are weighed: a + (b - a) s, or a (1 - s) + b s. The same but for rounding.
  let fromFirst: Bool

  /// `i` at i * in / out: `resize_bilinear` of TensorFlow 1 with `align_corners` false.
  static func corners(_ inputs: Int, _ outputs: Int) -> BilinearFilter {
    let scale = Float(Double(inputs) / Double(outputs))
    return BilinearFilter(inputs, (0..<outputs).map { Float($0) * scale }, fromFirst: true)
  }

  /// `i` at (i + 1/2) * in / out - 1/2: `interpolate` of PyTorch with `align_corners` false.
  static func centres(_ inputs: Int, _ outputs: Int) -> BilinearFilter {
    let scale = Float(inputs) / Float(outputs)
    return BilinearFilter(
      inputs, (0..<outputs).map { max(scale * (Float($0) + 0.5) - 0.5, 0) }, fromFirst: false)
  }

  private init(_ inputs: Int, _ places: [Float], fromFirst: Bool) {
    let low = places.map { min(Int($0), inputs - 1) }
    share = zip(places, low).map { min($0 - Float($1), 1) }
    high = low.map { min($0 + 1, inputs - 1) }
    (self.low, self.fromFirst) = (low, fromFirst)
  }
}

/// The filters of both axes.
struct BilinearFilters {
  let x: BilinearFilter
  let y: BilinearFilter
  let width: Int

  init(_ image: RGBImage, _ filter: (_ inputs: Int, _ outputs: Int) -> BilinearFilter) {
    x = filter(image.width, ResizeProtocol.side)
    y = filter(image.height, ResizeProtocol.side)
    width = image.width
  }

  /// Rows `rows` of the result: along x first, each row of the image once, then along y.
  ///
  /// - Parameter to: where row 0 of the result lies.
  @inline(__always)
  func resize(
    _ pixels: UnsafeBufferPointer<UInt8>, _ rows: Range<Int>, _ to: Floats,
    pixel: (UInt8) -> Float, result: (Float) -> Float
  ) {
    let values = x.low.count * 3
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * values) { buffer in
      guard let base = buffer.baseAddress else { return }
      // The rows kept, and of which row of the image each is.
      var (top, bottom) = (base, base + values)
      var (topRow, bottomRow) = (-1, -1)
      for row in rows {
        let (low, high, share) = (y.low[row], y.high[row], y.share[row])
        if low == bottomRow {
          swap(&top, &bottom)
          swap(&topRow, &bottomRow)
        }
        if low != topRow {
          widen(pixels, low, top, pixel)
          topRow = low
        }
        if high != bottomRow {
          widen(pixels, high, bottom, pixel)
          bottomRow = high
        }
        let out = to + row * values
        if y.fromFirst {
          for i in 0..<values { out[i] = result(top[i] + (bottom[i] - top[i]) * share) }
        } else {
          let rest = 1 - share
          for i in 0..<values { out[i] = result(top[i] * rest + bottom[i] * share) }
        }
      }
    }
  }

  @inline(__always)
  private func widen(
    _ pixels: UnsafeBufferPointer<UInt8>, _ row: Int, _ to: Floats, _ pixel: (UInt8) -> Float
  ) {
    for i in x.low.indices {
      let (a, b) = ((row * width + x.low[i]) * 3, (row * width + x.high[i]) * 3)
      let share = x.share[i]
      for channel in 0..<3 {
        let (first, second) = (pixel(pixels[a + channel]), pixel(pixels[b + channel]))
        to[i * 3 + channel] =
          x.fromFirst
          ? first + (second - first) * share : first * (1 - share) + second * share
      }
    }
  }
}
