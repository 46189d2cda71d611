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

extension Engine {
  /// The weight as column panels for `product`: w [taps, k, n] or, transposed, [taps, n, k].
  func packed(_ w: Tensor, taps: Int, k: Int, n: Int, transposed: Bool) -> Tensor {
    let width = Int(kernels.table.pointee.vector_width)
    let panels = Tensor([taps * k * ((n + width - 1) / width * width)], on: self)
    withFloats(w, panels) { w, panels in
      kernels.table.pointee.pack(w, Int64(taps), Int64(k), Int64(n), transposed ? 1 : 0, panels)
    }
    return panels
  }

  /// Runs products that write disjoint rows of `y`.
  func product(
    _ classes: [dk_geometry], _ x: Tensor, _ panels: Tensor, bias: Tensor?, into y: Tensor
  ) {
    withFloats(x, panels, bias ?? panels, y) { from, panels, addend, to in
      let addend = bias == nil ? nil : UnsafePointer(addend)
      for geometry in classes {
        withUnsafePointer(to: geometry) { g in
          threads.forRanges(of: geometry.positions, grain: 6) { range in
            kernels.table.pointee.product(
              g, Int64(range.lowerBound), Int64(range.upperBound), from, panels, addend, 0, to)
          }
        }
      }
    }
  }

  /// dw (+)= x^T dy. Threads share the rows of dw, so no sum depends on their number.
  func weightGradient(
    _ classes: [dk_geometry], _ x: Tensor, _ dy: Tensor, into dw: Tensor, accumulate: Bool
  ) {
    if x.count == 0 && !accumulate { return dw.fill(0) }  // the kernels would not touch it
    withFloats(x, dy, dw) { from, slope, to in
      for geometry in classes {
        withUnsafePointer(to: geometry) { g in
          threads.forRanges(of: geometry.weightRows, grain: 6) { range in
            kernels.table.pointee.weight_gradient(
              g, Int64(range.lowerBound), Int64(range.upperBound), from, slope, accumulate ? 1 : 0,
              to)
          }
        }
      }
    }
  }

  /// out[n] (+)= sum over rows of x[row, n].
  func columnSums(_ x: Tensor, into out: Tensor, accumulate: Bool) {
    let (rows, channels) = (x.shape.rows, x.shape.channels)
    invariant(out.count == channels, "columnSums: \(x.shape) into \(out.shape)")
    withFloats(x, out) { x, out in
      threads.forRanges(of: channels, grain: 16) { range in
        kernels.table.pointee.column_sums(
          x, Int64(rows), Int64(channels), Int64(range.lowerBound), Int64(range.upperBound),
          accumulate ? 1 : 0, out)
      }
    }
  }
}

extension dk_geometry {
  /// Output pixels of the grid.
  fileprivate var positions: Int { Int(images * grid_h * grid_w) }
  /// Rows of the weight seen as [taps * inputs, outputs].
  fileprivate var weightRows: Int { Int(weight_taps) * Int(in_channels) }
}
