import CKernels

/// A pixel another one is multiplied with: an offset in the input and the tap of the weight.
struct Tap {
  let dy: Int
  let dx: Int
  let weight: Int
}

/// Tap lists of the layers, as `CKernels.h` describes them; 3x3 weights are indexed by 3 ky + kx.
extension dk_geometry {
  /// One tap over `rows` rows: a linear layer, or a 1x1 convolution.
  static func rows(_ rows: Int, k: Int, n: Int) -> dk_geometry {
    grid(images: 1, height: 1, width: rows, k: k, n: n, taps: [Tap(dy: 0, dx: 0, weight: 0)], of: 1)
  }

  /// 3x3, padding 1. With stride 2 the grid is the smaller, output image.
  static func convolution(
    _ images: Int, _ height: Int, _ width: Int, k: Int, n: Int, stride: Int
  ) -> dk_geometry {
    var g = grid(
      images: images, height: (height + stride - 1) / stride, width: (width + stride - 1) / stride,
      k: k, n: n, taps: taps { ky, kx in (ky - 1, kx - 1) }, of: 9)
    g.in_h = Int64(height)
    g.in_w = Int64(width)
    g.in_stride = Int64(stride)
    return g
  }

  /// The data gradient of `convolution(stride: 1)`: the same taps, mirrored. `height` and `width` are
  /// the image's, `k` the gradient's channels.
  static func mirrored(_ images: Int, _ height: Int, _ width: Int, k: Int, n: Int) -> dk_geometry {
    grid(
      images: images, height: height, width: width, k: k, n: n,
      taps: taps { ky, kx in (1 - ky, 1 - kx) }, of: 9)
  }

  /// 3x3 transposed, stride 2, padding 1: out = 2 in - 1 + k. Each parity of the output is a grid of
  /// its own with one, two or four taps. With an even output height this is also output padding 1 and
  /// the data gradient of the stride 2 convolution; `outHeight` may be one less, for odd images.
  static func transposed(
    _ images: Int, _ height: Int, _ width: Int, outHeight: Int, outWidth: Int, k: Int, n: Int
  ) -> [dk_geometry] {
    [(0, 0), (0, 1), (1, 0), (1, 1)].map { y, x in
      let taps = parity(y).flatMap { ky, dy in
        parity(x).map { kx, dx in Tap(dy: dy, dx: dx, weight: 3 * ky + kx) }
      }
      var g = grid(
        images: images, height: (outHeight - y + 1) / 2, width: (outWidth - x + 1) / 2, k: k, n: n,
        taps: taps, of: 9)
      (g.in_h, g.in_w) = (Int64(height), Int64(width))
      (g.out_h, g.out_w, g.out_stride) = (Int64(outHeight), Int64(outWidth), 2)
      (g.out_y, g.out_x) = (Int64(y), Int64(x))
      return g
    }
  }

  /// Grid positions.
  var positions: Int { Int(images * grid_h * grid_w) }

  /// Kernel index and input offset of the taps that reach outputs of one parity.
  private static func parity(_ odd: Int) -> [(k: Int, offset: Int)] {
    odd == 0 ? [(1, 0)] : [(0, 1), (2, 0)]
  }

  private static func taps(_ offset: (Int, Int) -> (Int, Int)) -> [Tap] {
    (0..<9).map {
      let (dy, dx) = offset($0 / 3, $0 % 3)
      return Tap(dy: dy, dx: dx, weight: $0)
    }
  }

  private static func grid(
    images: Int, height: Int, width: Int, k: Int, n: Int, taps: [Tap], of weightTaps: Int
  ) -> dk_geometry {
    var g = dk_geometry()
    (g.images, g.grid_h, g.grid_w) = (Int64(images), Int64(height), Int64(width))
    (g.in_h, g.in_w, g.in_stride) = (Int64(height), Int64(width), 1)
    (g.out_h, g.out_w, g.out_stride) = (Int64(height), Int64(width), 1)
    (g.in_channels, g.out_channels) = (Int64(k), Int64(n))
    (g.in_pitch, g.out_pitch) = (Int64(k), Int64(n))
    (g.taps, g.weight_taps) = (Int32(taps.count), Int32(weightTaps))
    withUnsafeMutableBytes(of: &g.dy) { fill($0, taps.map(\.dy)) }
    withUnsafeMutableBytes(of: &g.dx) { fill($0, taps.map(\.dx)) }
    withUnsafeMutableBytes(of: &g.weight_tap) { fill($0, taps.map(\.weight)) }
    return g
  }

  private static func fill(_ bytes: UnsafeMutableRawBufferPointer, _ values: [Int]) {
    for (i, value) in values.enumerated() {
      bytes.storeBytes(of: Int32(value), toByteOffset: 4 * i, as: Int32.self)
    }
  }
}
