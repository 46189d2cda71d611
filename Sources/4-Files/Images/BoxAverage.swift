import TensorCore

/// Averages over areas: each pixel of the smaller image is the mean of what it covers of the larger
/// one, a pixel that is cut counting by its part.
package enum BoxAverage {
  /// Along one axis: first sample and weights of each output.
  private struct Filter {
    let first: Int
    let weights: [Double]

    static func all(_ inputs: Int, _ outputs: Int) -> [Filter] {
      let scale = Double(inputs) / Double(outputs)
      return (0..<outputs).map { output in
        let (begin, end) = (Double(output) * scale, Double(output + 1) * scale)
        let first = Int(begin)
        let last = max(min(Int(end.rounded(.up)), inputs), first + 1)
        let parts = (first..<last).map { max(min(Double($0 + 1), end) - max(Double($0), begin), 0) }
        let sum = parts.reduce(0, +)
        return Filter(first: first, weights: parts.map { $0 / sum })
      }
    }
  }

  /// Writes an image of [height, width, 3] in -1...1, f32, at `to`.
  package static func reduce(_ image: RGBImage, height: Int, width: Int, _ to: Floats) {
    image.pixels.withUnsafeBufferPointer { pixels in
      if image.height == height && image.width == width {
        for i in pixels.indices { to[i] = Float(pixels[i]) / 127.5 - 1 }
        return
      }
      let columns = Filter.all(image.width, width)
      for (y, row) in Filter.all(image.height, height).enumerated() {
        for (x, column) in columns.enumerated() {
          var sum = SIMD3<Double>(repeating: 0)
          for (i, rowWeight) in row.weights.enumerated() {
            let line = (row.first + i) * image.width
            for (j, weight) in column.weights.enumerated() {
              let at = (line + column.first + j) * 3
              let pixel = SIMD3(
                Double(pixels[at]), Double(pixels[at + 1]), Double(pixels[at + 2]))
              sum += pixel * (rowWeight * weight)
            }
          }
          for channel in 0..<3 {
            to[(y * width + x) * 3 + channel] = Float(sum[channel] / 127.5 - 1)
          }
        }
      }
    }
  }
}
