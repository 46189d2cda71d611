import CKernels
import TensorCore

/// The row lists of matrix products: which input pixel each tap of each output pixel reads.
///
/// A linear layer is one tap. A 3x3 convolution is nine. A transposed convolution of stride 2, and the
/// data gradient of a convolution of stride 2, fall into four classes by the parity of the output pixel,
/// with 1, 2, 2 and 4 taps.
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

  /// 3x3 taps at (row * stride + ky - 1, column * stride + kx - 1); `mirrored`, the data gradient of a
  /// convolution of stride 1, at (row + 1 - ky, column + 1 - kx).
  static func convolution(
    images: Int, input: (h: Int, w: Int), output: (h: Int, w: Int), inputs: Int, outputs: Int,
    stride: Int, mirrored: Bool = false
  ) -> dk_geometry {
    var g = dk_geometry()
    (g.images, g.grid_h, g.grid_w) = (Int64(images), Int64(output.h), Int64(output.w))
    (g.in_h, g.in_w, g.in_stride) = (Int64(input.h), Int64(input.w), Int64(stride))
    (g.out_h, g.out_w, g.out_stride) = (Int64(output.h), Int64(output.w), 1)
    setChannels(&g, inputs, outputs)
    (g.taps, g.weight_taps) = (9, 9)
    let sign: Int32 = mirrored ? -1 : 1
    for tap in Int32(0)..<9 {
      dk_set_tap(&g, tap, sign * (tap / 3 - 1), sign * (tap % 3 - 1), tap)
    }
    return g
  }

  /// The four parity classes of an upsampling by 2: output pixel 2a reads tap 1 of input a; output
  /// pixel 2a + 1 reads tap 0 of input a + 1 and tap 2 of input a, along each axis.
  static func upsampling(
    images: Int, input: (h: Int, w: Int), output: (h: Int, w: Int), inputs: Int, outputs: Int
  ) -> [dk_geometry] {
    let taps: [[(kernel: Int32, offset: Int32)]] = [[(1, 0)], [(0, 1), (2, 0)]]
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
        g.weight_taps = 9
        for y in taps[py] {
          for x in taps[px] {
            dk_set_tap(&g, g.taps, y.offset, x.offset, y.kernel * 3 + x.kernel)
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

extension dk_geometry {
  /// Output pixels of the grid.
  var positions: Int { Int(images * grid_h * grid_w) }
  /// Rows of the weight seen as [taps * inputs, outputs].
  var weightRows: Int { Int(weight_taps) * Int(in_channels) }
  /// Operations of the product.
  var flops: Int { 2 * positions * Int(taps) * Int(in_channels * out_channels) }
}
