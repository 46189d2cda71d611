import CKernels
import TensorCore

/// The geometry of matrix products: which input pixel each tap of each output pixel reads.
///
/// A linear layer has one tap, a 3x3 convolution nine. A transposed convolution of stride 2, and
/// the input gradient of a convolution of stride 2, fall into four classes by the parity of the
/// output pixel: with 1, 2, 2 and 4 taps for a 3x3 kernel, and with 4 taps each for a 4x4 kernel.
enum ProductGeometry {
  /// y[r, n] = x[r, k] w[k, n].
  static func linear(rows: Int, inputs: Int, outputs: Int) -> dk_geometry {
    var g = dk_geometry()
    (g.images, g.grid_h, g.grid_w) = (1, Int64(rows), 1)
    (g.in_h, g.in_w, g.in_stride) = (Int64(rows), 1, 1)
    (g.out_h, g.out_w, g.out_stride) = (Int64(rows), 1, 1)
    setChannels(&g, inputs, outputs)
    (g.taps, g.weight_taps) = (1, 1)
    dk_set_tap(&g, 0, 0, 0, 0)
    return g
  }

  /// Square taps at (row * stride + ky - padding, column * stride + kx - padding). With `mirrored`,
  /// which is the input gradient of a convolution of stride 1, at (row + padding - ky, column +
  /// padding - kx).
  static func convolution(
    _ kernel: KernelSquare, images: Int, input: (h: Int, w: Int), output: (h: Int, w: Int),
    inputs: Int, outputs: Int, mirrored: Bool = false
  ) -> dk_geometry {
    var g = dk_geometry()
    (g.images, g.grid_h, g.grid_w) = (Int64(images), Int64(output.h), Int64(output.w))
    (g.in_h, g.in_w, g.in_stride) = (Int64(input.h), Int64(input.w), Int64(kernel.stride))
    (g.out_h, g.out_w, g.out_stride) = (Int64(output.h), Int64(output.w), 1)
    setChannels(&g, inputs, outputs)
    (g.taps, g.weight_taps) = (Int32(kernel.taps), Int32(kernel.taps))
    let (side, padding) = (Int32(kernel.side), Int32(kernel.padding))
    let sign: Int32 = mirrored ? -1 : 1
    for tap in 0..<g.taps {
      dk_set_tap(&g, tap, sign * (tap / side - padding), sign * (tap % side - padding), tap)
    }
    return g
  }

  /// The four parity classes of an upsampling by 2, which is the transpose of a convolution of
  /// stride 2: along each axis, output pixel o reads input pixel (o + padding - k) / 2 for each k
  /// for which that is a whole number.
  static func upsampling(
    _ kernel: KernelSquare, images: Int, input: (h: Int, w: Int), output: (h: Int, w: Int),
    inputs: Int, outputs: Int
  ) -> [dk_geometry] {
    let (side, padding) = (Int32(kernel.side), Int32(kernel.padding))
    let taps: [[(kernel: Int32, offset: Int32)]] = [0, 1].map { parity in
      (0..<side).filter { (parity + padding - $0) % 2 == 0 }
        .map { ($0, (parity + padding - $0) / 2) }
    }
    var classes: [dk_geometry] = []
    for py in 0..<2 {
      for px in 0..<2 {
        var g = dk_geometry()
        (g.images, g.grid_h) = (Int64(images), Int64((output.h + 1 - py) / 2))
        g.grid_w = Int64((output.w + 1 - px) / 2)
        (g.in_h, g.in_w, g.in_stride) = (Int64(input.h), Int64(input.w), 1)
        (g.out_h, g.out_w, g.out_stride) = (Int64(output.h), Int64(output.w), 2)
        (g.out_y, g.out_x) = (Int64(py), Int64(px))
        setChannels(&g, inputs, outputs)
        g.weight_taps = Int32(kernel.taps)
        for y in taps[py] {
          for x in taps[px] {
            dk_set_tap(&g, g.taps, y.offset, x.offset, y.kernel * side + x.kernel)
            g.taps += 1
          }
        }
        classes.append(g)
      }
    }
    return classes
  }

  private static func setChannels(_ g: inout dk_geometry, _ inputs: Int, _ outputs: Int) {
    (g.in_channels, g.out_channels) = (Int64(inputs), Int64(outputs))
    (g.in_pitch, g.out_pitch) = (Int64(inputs), Int64(outputs))
  }
}

/// The square kernel of a convolution.
struct KernelSquare: Hashable {
  let side: Int
  let stride: Int
  /// Pixels of zeros above and left of the image.
  let padding: Int

  var taps: Int { side * side }
}

extension dk_geometry {
  /// How many output pixels the grid has.
  var positions: Int { Int(images * grid_h * grid_w) }
  /// How many rows the weight has as a matrix [taps * inputs, outputs].
  var weightRows: Int { Int(weight_taps) * Int(in_channels) }
  /// Floating-point operations of the product.
  var flops: Int { 2 * positions * Int(taps) * Int(in_channels * out_channels) }
}
