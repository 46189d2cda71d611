import TensorCore

extension RGBImage {
  /// The largest centred square of this image, brought to `side` pixels by an antialiased bicubic
  /// filter (Catmull-Rom; where it shrinks, the filter widens with the scale, as Pillow's does).
  public func centerSquare(resizedTo side: Int) -> RGBImage {
    invariant(side > 0, "centerSquare: side \(side)")
    let crop = min(width, height)
    let (left, top) = ((width - crop) / 2, (height - crop) / 2)
    let taps = FilterTaps.bicubic(from: crop, to: side)

    // Rows first: [crop, crop, 3] -> [crop, side, 3].
    var narrowed = [Float](repeating: 0, count: crop * side * 3)
    for y in 0..<crop {
      let row = ((top + y) * width + left) * 3
      for x in 0..<side {
        var sum = SIMD3<Float>(repeating: 0)
        for (tap, weight) in taps[x].weights.enumerated() {
          let at = row + (taps[x].first + tap) * 3
          let pixel = SIMD3(
            Float(self.pixels[at]), Float(self.pixels[at + 1]), Float(self.pixels[at + 2]))
          sum += weight * pixel
        }
        for channel in 0..<3 { narrowed[(y * side + x) * 3 + channel] = sum[channel] }
      }
    }

    // Then columns: [crop, side, 3] -> [side, side, 3].
    var result = [UInt8](repeating: 0, count: side * side * 3)
    var sums = [Float](repeating: 0, count: side * 3)
    for y in 0..<side {
      for i in sums.indices { sums[i] = 0 }
      for (tap, weight) in taps[y].weights.enumerated() {
        let row = (taps[y].first + tap) * side * 3
        for i in sums.indices { sums[i] += weight * narrowed[row + i] }
      }
      for i in sums.indices { result[y * side * 3 + i] = UInt8(min(max(sums[i] + 0.5, 0), 255)) }
    }
    return RGBImage(width: side, height: side, pixels: result)
  }
}

/// The input samples that one output sample is made of; the weights sum to 1.
struct FilterTaps {
  let first: Int
  let weights: [Float]

  /// One entry an output sample.
  static func bicubic(from inputs: Int, to outputs: Int) -> [FilterTaps] {
    let scale = Double(inputs) / Double(outputs)
    let stretch = max(scale, 1)
    let support = 2 * stretch
    return (0..<outputs).map { output in
      let center = (Double(output) + 0.5) * scale
      let first = max(Int(center - support + 0.5), 0)
      let end = min(Int(center + support + 0.5), inputs)
      let raw = (first..<end).map { catmullRom((Double($0) + 0.5 - center) / stretch) }
      let sum = raw.reduce(0, +)
      return FilterTaps(first: first, weights: raw.map { Float($0 / sum) })
    }
  }

  /// Keys' cubic convolution kernel with a = -1/2.
  private static func catmullRom(_ x: Double) -> Double {
    let x = abs(x)
    if x < 1 { return (1.5 * x - 2.5) * x * x + 1 }
    if x < 2 { return ((-0.5 * x + 2.5) * x - 4) * x + 2 }
    return 0
  }
}
