import CKernels
import TensorCore

/// a + b, element by element, in their common shape and type. Its gradient is dy for both.
public func sum(_ a: Tensor, _ b: Tensor) -> Tensor {
  invariant(
    a.shape == b.shape && a.dtype == b.dtype,
    "sum: \(a.shape) \(a.dtype) + \(b.shape) \(b.dtype)")
  let y = Tensor(a.shape, a.dtype, on: a.context)
  let kernels = a.context.kernels[a.dtype]
  a.context.measured("sum", flops: 0, bytes: 3 * a.byteCount) {
    withElements(a, b, y) { first, second, y in
      a.context.forElements(a.count) { kernels.add(first, second, $0, $1, y) }
    }
  }
  return y
}

/// x [..., N] with `row` [N] added to each of its rows, on the calling thread; use it for few rows.
/// The gradient of `row` is the sum of the rows of dy.
public func sum(_ x: Tensor, row: Tensor) -> Tensor {
  let n = x.shape.channels
  invariant(
    row.count == n && row.dtype == x.dtype, "sum: \(x.shape) \(x.dtype) + a row \(row.shape)")
  let y = Tensor(x.shape, x.dtype, on: x.context)
  withElements(x, row, y) { x, row, to in
    for start in stride(from: 0, to: y.byteCount, by: n * y.dtype.size) {
      y.context.kernels[y.dtype].add(x + start, row, 0, Int64(n), to + start)
    }
  }
  return y
}

/// Scales each image, f32: y[b, ...] = factors[b] x[b, ...] + c[b, ...]; without c nothing is
/// added. The gradient of x is dy, scaled likewise.
public func scaled(_ x: Tensor, by factors: [Float], plus c: Tensor? = nil) -> Tensor {
  invariant(
    x.shape[0] == factors.count && (c == nil || c?.shape == x.shape),
    "scaled: x \(x.shape), \(factors.count) factors, plus \(String(describing: c?.shape))")
  let y = Tensor(x.shape, on: x.context)
  let inner = x.count / max(factors.count, 1)
  let context = x.context
  withFloats(x, c ?? x, y) { from, addend, y in
    context.threads.forRanges(of: factors.count) { range in
      for image in range {
        context.kernels.table.pointee.scale_add(
          factors[image], from + image * inner,
          c == nil ? nil : UnsafePointer(addend + image * inner),
          0, Int64(inner), y + image * inner)
      }
    }
  }
  return y
}

/// The channels of two tensors side by side: [..., A], [..., B] -> [..., A + B].
public func concatenated(_ a: Tensor, _ b: Tensor) -> Tensor {
  invariant(
    a.shape.dimensions.dropLast() == b.shape.dimensions.dropLast() && a.dtype == b.dtype,
    "concatenated: \(a.shape) \(a.dtype) with \(b.shape) \(b.dtype)")
  let both = a.shape.channels + b.shape.channels
  let y = Tensor(Shape(a.shape.dimensions.dropLast() + [both]), a.dtype, on: a.context)
  a.context.measured("concatenation", flops: 0, bytes: 2 * y.byteCount) {
    let (first, second) = (a.shape.channels * a.dtype.size, b.shape.channels * a.dtype.size)
    withElements(a, b, y) { from, other, to in
      a.context.threads.forRanges(of: a.shape.rows, grain: 64) { range in
        for row in range {
          let target = to + row * (first + second)
          target.copyMemory(from: from + row * first, byteCount: first)
          (target + first).copyMemory(from: other + row * second, byteCount: second)
        }
      }
    }
  }
  return y
}

/// A copy of the channels `range` of x: [..., C] -> [..., range.count]; the gradient of
/// `concatenated`.
public func channels(_ range: Range<Int>, of x: Tensor) -> Tensor {
  invariant(range.upperBound <= x.shape.channels, "channels: \(range) of \(x.shape)")
  let y = Tensor(Shape(x.shape.dimensions.dropLast() + [range.count]), x.dtype, on: x.context)
  x.context.measured("channels", flops: 0, bytes: 2 * y.byteCount) {
    let size = x.dtype.size
    let (width, part) = (x.shape.channels * size, range.count * size)
    withElements(x, y) { from, to in
      x.context.threads.forRanges(of: x.shape.rows, grain: 64) { rows in
        for row in rows {
          (to + row * part).copyMemory(
            from: from + row * width + range.lowerBound * size, byteCount: part)
        }
      }
    }
  }
  return y
}
