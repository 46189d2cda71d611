import TensorCore

extension RGBImage {
  /// The largest centred square of this image, brought to `side` pixels by an antialiased bicubic
  /// filter (Catmull-Rom; where it shrinks, the filter widens with the scale, as Pillow's does).
  package func centerSquare(resizedTo side: Int) -> RGBImage {
    invariant(side > 0, "centerSquare: side \(side)")
    let crop = min(width, height)
    let (left, top) = ((width - crop) / 2, (height - crop) / 2)
    let taps = ResampleWeights(.bicubic, from: crop, to: side)
    let weights = taps.weights.map { Float($0) }

    // Rows first: [crop, crop, 3] -> [crop, side, 3].
    var narrowed = [Float](repeating: 0, count: crop * side * 3)
    for y in 0..<crop {
      let row = ((top + y) * width + left) * 3
      for x in 0..<side {
        var sum = SIMD3<Float>(repeating: 0)
        var at = row + taps.first[x] * 3
        for tap in taps.start[x]..<taps.start[x + 1] {
          let pixel = SIMD3(
            Float(self.pixels[at]), Float(self.pixels[at + 1]), Float(self.pixels[at + 2]))
          sum += weights[tap] * pixel
          at += 3
        }
        for channel in 0..<3 { narrowed[(y * side + x) * 3 + channel] = sum[channel] }
      }
    }

    // Then columns: [crop, side, 3] -> [side, side, 3].
    var result = [UInt8](repeating: 0, count: side * side * 3)
    var sums = [Float](repeating: 0, count: side * 3)
    for y in 0..<side {
      for i in sums.indices { sums[i] = 0 }
      var row = taps.first[y] * side * 3
      for tap in taps.start[y]..<taps.start[y + 1] {
        for i in sums.indices { sums[i] += weights[tap] * narrowed[row + i] }
        row += side * 3
      }
      for i in sums.indices { result[y * side * 3 + i] = UInt8(min(max(sums[i] + 0.5, 0), 255)) }
    }
    return RGBImage(width: side, height: side, pixels: result)
  }
}
