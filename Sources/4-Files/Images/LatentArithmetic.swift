import TensorCore

/// Loops over the values of latents.
package enum LatentArithmetic {
  /// Draws latents: scale (mean + exp(log variance / 2) noise).
  ///
  /// - Parameters:
  ///   - mean: [channels, area].
  ///   - logVariance: [channels, area].
  ///   - noise: [area, channels]; receives the latents.
  package static func draw(
    mean: [Float], logVariance: [Float], channels: Int, area: Int, scale: Double,
    noise values: UnsafeMutableBufferPointer<Float>
  ) {
    for pixel in 0..<area {
      for channel in 0..<channels {
        let (at, from) = (pixel * channels + channel, channel * area + pixel)
        let deviation = PortableMath.saturatingExp(Double(logVariance[from]) / 2)
        values[at] = Float(scale * (Double(mean[from]) + deviation * Double(values[at])))
      }
    }
  }

  /// From [images, area, channels] to [images, channels, area].
  ///
  /// - Parameter inBFloat16: whether values are rounded to the nearest bf16, ties to even.
  package static func channelsFirst(
    _ values: [Float], channels: Int, area: Int, inBFloat16: Bool, into result: inout [Float]
  ) {
    for image in 0..<values.count / (channels * area) {
      let start = image * channels * area
      for pixel in 0..<area {
        for channel in 0..<channels {
          let value = values[start + pixel * channels + channel]
          result[start + channel * area + pixel] = inBFloat16 ? rounded(value) : value
        }
      }
    }
  }

  private static func rounded(_ value: Float) -> Float {
    let bits = value.bitPattern
    return Float(bitPattern: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) & 0xFFFF_0000)
  }
}
