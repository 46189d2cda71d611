import CKernels

/// A pointer to elements whose type is the tensor's `dtype`.
public typealias Elements = UnsafeMutableRawPointer

extension Tensor {
  /// Bytes of all elements.
  public var byteCount: Int { count * dtype.size }

  /// Calls `body` with a pointer to the elements, whatever their type; the pointer is valid only
  /// inside `body`.
  public func withElements<R>(_ body: (Elements) throws -> R) rethrows -> R {
    defer { withExtendedLifetime(storage) {} }
    return try body(storage.bytes + offset * dtype.size)
  }

  /// Copies the elements of another tensor of the same count and type into this one, in place, on
  /// all threads.
  public func overwrite(from other: Tensor) {
    invariant(
      other.count == count && other.dtype == dtype, "overwrite: \(other.shape) into \(shape)")
    let size = dtype.size
    TensorCore.withElements(other, self) { from, to in
      context.forElements(count) { begin, end in
        (to + Int(begin) * size).copyMemory(
          from: from + Int(begin) * size, byteCount: Int(end - begin) * size)
      }
    }
  }

  /// The same values as another element type. If the tensor already has that type, the result is
  /// the tensor itself, without a copy.
  public func cast(to dtype: DType) -> Tensor {
    guard dtype != self.dtype else { return self }
    let result = Tensor(shape, dtype, on: context)
    context.measured("conversion", flops: 0, bytes: byteCount + result.byteCount) {
      TensorCore.withElements(self, result) { from, to in
        context.forElements(count) { begin, end in
          if dtype == .float32 {
            context.kernels[self.dtype].to_f32(
              from, begin, end, to.assumingMemoryBound(to: Float.self))
          } else {
            context.kernels[dtype].from_f32(
              from.assumingMemoryBound(to: Float.self), begin, end, to)
          }
        }
      }
    }
    return result
  }
}

extension ComputeContext {
  /// Runs a kernel on flat ranges of `count` elements, one range per thread.
  public func forElements(_ count: Int, _ body: (Int64, Int64) -> Void) {
    threads.forRanges(of: count, grain: 4096) { body(Int64($0.lowerBound), Int64($0.upperBound)) }
  }
}

/// Calls `body` with the elements of four tensors, and nil for each one that is missing.
public func withElements<R>(of a: Tensor?, _ body: (Elements?) throws -> R) rethrows -> R {
  guard let a else { return try body(nil) }
  return try a.withElements { try body($0) }
}

/// The elements of four tensors, or nil for each that is not there.
public func withElements<R>(
  of a: Tensor?, _ b: Tensor?, _ c: Tensor?, _ d: Tensor?,
  _ body: (Elements?, Elements?, Elements?, Elements?) throws -> R
) rethrows -> R {
  try withElements(of: a) { a in
    try withElements(of: b) { b in
      try withElements(of: c) { c in try withElements(of: d) { d in try body(a, b, c, d) } }
    }
  }
}

/// The elements of several tensors at once; valid inside `body` only.
public func withElements<R>(
  _ a: Tensor, _ b: Tensor, _ body: (Elements, Elements) throws -> R
) rethrows -> R {
  try a.withElements { a in try b.withElements { b in try body(a, b) } }
}

/// The elements of several tensors at once; valid inside `body` only.
public func withElements<R>(
  _ a: Tensor, _ b: Tensor, _ c: Tensor, _ body: (Elements, Elements, Elements) throws -> R
) rethrows -> R {
  try withElements(a, b) { a, b in try c.withElements { c in try body(a, b, c) } }
}

/// The elements of several tensors at once; valid inside `body` only.
public func withElements<R>(
  _ a: Tensor, _ b: Tensor, _ c: Tensor, _ d: Tensor,
  _ body: (Elements, Elements, Elements, Elements) throws -> R
) rethrows -> R {
  try withElements(a, b) { a, b in try withElements(c, d) { c, d in try body(a, b, c, d) } }
}
