import TensorCore

extension Augmentation {
  /// Flips and warps an image in place.
  ///
  /// The warp doubles the image with a sym6 wavelet's low-pass filter, samples it bilinearly at
  /// twice the resolution, and halves it with the same filter; beyond its borders the image is
  /// reflected. Filter and reflection are orthonormal, so an identity or a shift by whole pixels
  /// loses nothing. Only the part of the doubled image that is sampled is computed; reflection has
  /// no margin, where the published code is grey more than one image away from the border.
  ///
  /// - Parameter image: [height, width, 3].
  package func apply(to image: UnsafeMutableBufferPointer<Float>, height: Int, width: Int) {
    invariant(
      height > 0 && width > 0 && image.count == height * width * 3,
      "Augmentation: \(image.count) values for [\(height), \(width), 3]")
    if flipX {
      for row in 0..<height {
        for column in 0..<width / 2 {
          exchange(row * width + column, row * width + width - 1 - column, in: image)
        }
      }
    }
    if flipY {
      for row in 0..<height / 2 {
        for column in 0..<width {
          exchange(row * width + column, (height - 1 - row) * width + column, in: image)
        }
      }
    }
    guard isWarp else { return }
    Plane(image, width: width, height: height).warped(by: sourceMap(height: height, width: width))
      .write(to: image)
  }

  /// Exchanges two pixels.
  private func exchange(_ a: Int, _ b: Int, in image: UnsafeMutableBufferPointer<Float>) {
    for channel in 0..<3 { image.swapAt(a * 3 + channel, b * 3 + channel) }
  }
}

/// An image of four f32 per pixel, so that a pixel is one SIMD register; the fourth is unused.
private struct Plane {
  typealias Pixel = SIMD4<Float>

  let width: Int
  let height: Int
  var pixels: [Pixel]

  init(width: Int, height: Int) {
    (self.width, self.height) = (width, height)
    pixels = [Pixel](repeating: .zero, count: width * height)
  }

  /// - Parameter image: [height, width, 3].
  init(_ image: UnsafeMutableBufferPointer<Float>, width: Int, height: Int) {
    (self.width, self.height) = (width, height)
    pixels = (0..<width * height).map { index in
      Pixel(image[index * 3], image[index * 3 + 1], image[index * 3 + 2], 0)
    }
  }

  /// - Parameter image: [height, width, 3].
  func write(to image: UnsafeMutableBufferPointer<Float>) {
    for (index, pixel) in pixels.enumerated() {
      for channel in 0..<3 { image[index * 3 + channel] = pixel[channel] }
    }
  }

  /// The sym6 low-pass filter (Daubechies, "Ten lectures on wavelets", table 8.3): even shifts of
  /// it are orthonormal, its sum is the root of 2.
  private static let taps: [Float] = [
    0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633,
    0.4910559419267466, 0.787641141030194, 0.3379294217276218, -0.07263752278646252,
    -0.021060292512300564, 0.04472490177066578, 0.0017677118642428036, -0.007800708325034148,
  ]

  func warped(by map: AffineMap) -> Plane {
    // Sample m of `doubledWidth` lies at (m - width - 4) / 2 pixels from the centre: five samples
    // before and after the image feed the halving filter. A pixel x from the centre is sample
    // 2 x + width - 1 of the doubled image.
    let (doubledWidth, doubledHeight) = (2 * width + 10, 2 * height + 10)
    func source(_ x: Int, _ y: Int) -> (x: Double, y: Double) {
      let place = map(Double(x - width - 4) / 2, Double(y - height - 4) / 2)
      return (2 * place.x + Double(width - 1), 2 * place.y + Double(height - 1))
    }
    let corners = [
      source(0, 0), source(doubledWidth, 0), source(0, doubledHeight),
      source(doubledWidth, doubledHeight),
    ]
    let columns = Plane.covering(corners.map(\.x))
    let rows = Plane.covering(corners.map(\.y))
    let doubled = doubledTransposed(columns).doubledTransposed(rows)

    var sampled = Plane(width: doubledWidth, height: doubledHeight)
    for y in 0..<doubledHeight {
      for x in 0..<doubledWidth {
        let place = source(x, y)
        let (fx, fy) = (
          place.x - Double(columns.lowerBound), place.y - Double(rows.lowerBound)
        )
        let (ix, iy) = (Int(fx), Int(fy))
        let (wx, wy) = (Float(fx - Double(ix)), Float(fy - Double(iy)))
        let at = iy * doubled.width + ix
        let upper = doubled.pixels[at] * (1 - wx) + doubled.pixels[at + 1] * wx
        let next = at + doubled.width
        let lower = doubled.pixels[next] * (1 - wx) + doubled.pixels[next + 1] * wx
        sampled.pixels[y * doubledWidth + x] = upper * (1 - wy) + lower * wy
      }
    }
    return sampled.halvedTransposed().halvedTransposed()
  }

  /// Samples that bilinear interpolation between the extremes may touch, and one more on each side
  /// for rounding.
  private static func covering(_ places: [Double]) -> Range<Int> {
    let low = places.reduce(Double.infinity, min)
    let high = places.reduce(-Double.infinity, max)
    return Int(low.rounded(.down)) - 1..<Int(high.rounded(.down)) + 3
  }

  /// Samples `range` of the rows at twice the resolution, columns and rows exchanged, so that two
  /// calls double both axes. Sample j is the sum of pixel p times tap j - 2 p + 5.
  private func doubledTransposed(_ range: Range<Int>) -> Plane {
    let half = Plane.taps.count / 2
    let first = (range.lowerBound >> 1) - half  // the first pixel that any sample needs
    let last = (range.upperBound >> 1) + half
    let mirrored = (first...last).map { Plane.mirror($0, width) }
    var result = Plane(width: height, height: range.count)
    for y in 0..<height {
      let row = mirrored.map { pixels[y * width + $0] }
      for j in range {
        // An even sample takes the odd taps from pixel j/2 - 3 on, an odd one the even taps from
        // pixel (j-1)/2 - 2 on, both backwards.
        let odd = j & 1
        let begin = (j >> 1) - 3 + odd - first
        var sum = Pixel.zero
        for k in 0..<half { sum += row[begin + k] * Plane.taps[11 - odd - 2 * k] }
        result.pixels[(j - range.lowerBound) * height + y] = sum
      }
    }
    return result
  }

  /// Every row at half the resolution, columns and rows exchanged.
  private func halvedTransposed() -> Plane {
    var result = Plane(width: height, height: (width - 10) / 2)
    for y in 0..<height {
      for x in 0..<result.height {
        var sum = Pixel.zero
        for (k, tap) in Plane.taps.enumerated() { sum += pixels[y * width + 2 * x + k] * tap }
        result.pixels[x * height + y] = sum
      }
    }
    return result
  }

  /// Reflection at the outer pixels' centres, which are not repeated, any number of times.
  private static func mirror(_ index: Int, _ count: Int) -> Int {
    if count == 1 { return 0 }
    let period = 2 * count - 2
    let place = ((index % period) + period) % period
    return min(place, period - place)
  }
}
