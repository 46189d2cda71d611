import CKernels
import TensorCore

/// What a product adds to its sums before it stores them.
struct Epilogue {
  /// [N], f32.
  var bias: Tensor?
  /// Laid out and typed as the result.
  var addend: Tensor?
  /// Receives GELU of the result before that is rounded; laid out and typed as the result.
  var activated: Tensor?
}

extension ComputeContext {
  /// Runs products that write disjoint rows of `y`. Without `y`, only `epilogue.activated` is
  /// written.
  func product(
    _ name: @autoclosure () -> String, _ classes: [dk_geometry], _ x: Tensor, _ panels: Tensor,
    _ epilogue: Epilogue = Epilogue(), into y: Tensor?
  ) {
    let kernels = kernels[x.dtype]
    storing(
      name(), flops: classes.reduce(0) { $0 + $1.flops }, x, panels, epilogue, into: y
    ) { from, panels, stores, to in
      for geometry in classes {
        threads.forRanges(of: geometry.positions, grain: Int(kernels.product_grain)) { range in
          var (g, stores) = (geometry, stores)
          kernels.product(
            &g, Int64(range.lowerBound), Int64(range.upperBound), from, panels, &stores, to)
        }
      }
    }
  }

  /// Runs `body` with pointers to the elements of x, of the factor, of the epilogue's tensors, and
  /// of the result.
  func storing(
    _ name: @autoclosure () -> String, flops: Int, _ x: Tensor, _ factor: Tensor,
    _ epilogue: Epilogue, into y: Tensor?,
    _ body: (Elements, Elements, dk_epilogue, Elements?) -> Void
  ) {
    guard let shaped = y ?? epilogue.activated else { return }
    invariant(
      shaped.dtype == .float32 || shaped.dtype == x.dtype,
      "product: \(shaped.dtype) of \(x.dtype)")
    let results = [y, epilogue.activated, epilogue.addend].reduce(0) { $0 + ($1?.byteCount ?? 0) }
    measured(name(), flops: flops, bytes: x.byteCount + factor.byteCount + results) {
      withElements(x, factor) { from, factor in
        withElements(of: epilogue.bias, epilogue.addend, epilogue.activated, y) {
          bias, addend, activated, to in
          let stores = dk_epilogue(
            bias: bias.map { UnsafePointer($0.assumingMemoryBound(to: Float.self)) },
            least: nil, addend: addend, activated: activated,
            output: shaped.dtype == .float32 ? DK_F32 : DK_BF16)
          body(from, factor, stores, to)
        }
      }
    }
  }

  /// dw = x^T dy, f32; with `accumulate` it is added to dw. Each thread computes its own rows of
  /// dw, so no sum depends on the number of threads.
  func weightGradient(
    _ name: @autoclosure () -> String, _ classes: [dk_geometry], _ x: Tensor, _ dy: Tensor,
    into dw: Tensor, accumulate: Bool
  ) {
    invariant(
      x.dtype == dy.dtype && dw.dtype == .float32,
      "weight gradient: x \(x.dtype), dy \(dy.dtype), dw \(dw.dtype)")
    // The kernels would leave dw as it is.
    if (x.count == 0 || dy.count == 0) && !accumulate { return dw.fill(0) }
    let kernels = kernels[x.dtype]
    measured(
      name(), flops: classes.reduce(0) { $0 + $1.flops },
      bytes: x.byteCount + dy.byteCount + dw.byteCount
    ) {
      for geometry in classes {
        withUnsafePointer(to: geometry) { g in
          let rows = geometry.weightRows
          let grain = Int(kernels.gradient_grain(g))
          let strips = (rows + grain - 1) / grain
          let most = (strips + threads.count - 1) / threads.count * grain
          let pitch = (Int(kernels.weight_gradient_scratch(g, Int64(most))) + 63) / 64 * 16
          let scratch = Tensor([threads.count, pitch], on: self)
          withElements(x, dy, scratch, dw) { from, slope, scratch, to in
            threads.run { part in
              let begin = strips * part / threads.count * grain
              let end = min(strips * (part + 1) / threads.count * grain, rows)
              guard begin < end else { return }
              kernels.weight_gradient(
                g, Int64(begin), Int64(end), from, slope, accumulate ? 1 : 0,
                scratch + part * pitch * 4, to.assumingMemoryBound(to: Float.self))
            }
          }
        }
      }
    }
  }

  /// out[n] = sum over rows of x[row, n], f32; with `accumulate` it is added to `out`.
  func columnSums(_ x: Tensor, into out: Tensor, accumulate: Bool) {
    let (rows, channels) = (x.shape.rows, x.shape.channels)
    invariant(
      out.count == channels && out.dtype == .float32, "columnSums: \(x.shape) into \(out.shape)")
    let kernels = kernels[x.dtype]
    measured("column sums", flops: x.count, bytes: x.byteCount) {
      withElements(x, out) { x, out in
        threads.forRanges(of: channels, grain: 16) { range in
          kernels.column_sums(
            x, Int64(rows), Int64(channels), Int64(range.lowerBound), Int64(range.upperBound),
            accumulate ? 1 : 0, out.assumingMemoryBound(to: Float.self))
        }
      }
    }
  }
}
