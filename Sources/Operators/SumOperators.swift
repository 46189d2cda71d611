import CKernels
import TensorCore

/// a + b, element by element. Its gradient is dy for both.
public func sum(_ a: Tensor, _ b: Tensor) -> Tensor {
  invariant(a.shape == b.shape, "sum: \(a.shape) + \(b.shape)")
  let y = Tensor(a.shape, on: a.engine)
  withFloats(a, b, y) { first, second, y in
    a.engine.forElements(a.count) { a.engine.kernels.table.pointee.add(first, second, $0, $1, y) }
  }
  return y
}

/// y[b, ...] = factors[b] x[b, ...] (+ c[b, ...]): one factor an image. Its gradient is itself,
/// without c.
public func scaled(_ x: Tensor, by factors: [Float], plus c: Tensor? = nil) -> Tensor {
  invariant(
    x.shape[0] == factors.count && (c == nil || c?.shape == x.shape),
    "scaled: x \(x.shape), \(factors.count) factors, plus \(String(describing: c?.shape))")
  let y = Tensor(x.shape, on: x.engine)
  let inner = x.count / max(factors.count, 1)
  let engine = x.engine
  withFloats(x, c ?? x, y) { from, addend, y in
    engine.threads.forRanges(of: factors.count) { range in
      for image in range {
        engine.kernels.table.pointee.scale_add(
          factors[image], from + image * inner,
          c == nil ? nil : UnsafePointer(addend + image * inner),
          0, Int64(inner), y + image * inner)
      }
    }
  }
  return y
}

/// Channels side by side: [..., A], [..., B] -> [..., A + B].
public func concatenated(_ a: Tensor, _ b: Tensor) -> Tensor {
  invariant(
    a.shape.dimensions.dropLast() == b.shape.dimensions.dropLast(),
    "concatenated: \(a.shape) with \(b.shape)")
  let (first, second) = (a.shape.channels, b.shape.channels)
  let y = Tensor(Shape(a.shape.dimensions.dropLast() + [first + second]), on: a.engine)
  withFloats(a, b, y) { from, other, to in
    a.engine.threads.forRanges(of: a.shape.rows, grain: 64) { range in
      for row in range {
        let target = to + row * (first + second)
        target.update(from: from + row * first, count: first)
        (target + first).update(from: other + row * second, count: second)
      }
    }
  }
  return y
}

/// Channels `range` of x: [..., C] -> [..., range.count]; the gradient of `concatenated`.
public func channels(_ range: Range<Int>, of x: Tensor) -> Tensor {
  let width = x.shape.channels
  invariant(range.upperBound <= width, "channels: \(range) of \(x.shape)")
  let y = Tensor(Shape(x.shape.dimensions.dropLast() + [range.count]), on: x.engine)
  withFloats(x, y) { from, to in
    x.engine.threads.forRanges(of: x.shape.rows, grain: 64) { rows in
      for row in rows {
        (to + row * range.count).update(
          from: from + row * width + range.lowerBound, count: range.count)
      }
    }
  }
  return y
}
