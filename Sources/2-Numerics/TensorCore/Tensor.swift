/// A contiguous, row-major array of f32 or bf16 elements: a handle on shared storage.
///
/// Copying a tensor copies the handle. Operators make new tensors; the few that update one in place
/// say so. Images are `[B, H, W, C]`, tokens `[..., C]`.
public struct Tensor: Sendable {
  public let shape: Shape
  public let dtype: DType
  public let context: ComputeContext
  public let storage: Storage
  /// First element, counted in elements from the storage's start.
  public let offset: Int

  /// A tensor with undefined contents.
  public init(_ shape: Shape, _ dtype: DType = .float32, on context: ComputeContext) {
    self.init(
      shape: shape, dtype: dtype, context: context,
      storage: context.memory.allocate(byteCount: shape.count * dtype.size), offset: 0)
  }

  private init(shape: Shape, dtype: DType, context: ComputeContext, storage: Storage, offset: Int) {
    self.shape = shape
    self.dtype = dtype
    self.context = context
    self.storage = storage
    self.offset = offset
  }

  public init(zeros shape: Shape, on context: ComputeContext) {
    self.init(shape, on: context)
    fill(0)
  }

  public init(_ values: [Float], _ shape: Shape, on context: ComputeContext) {
    invariant(values.count == shape.count, "Tensor: \(values.count) values for shape \(shape)")
    self.init(shape, on: context)
    withFloats { to in
      values.withUnsafeBufferPointer { to.update(from: $0.baseAddress!, count: $0.count) }
    }
  }

  public var count: Int { shape.count }

  /// The same elements under another shape.
  public func reshaped(_ shape: Shape) -> Tensor {
    invariant(shape.count == count, "reshaped: \(self.shape) does not hold \(shape)")
    return Tensor(shape: shape, dtype: dtype, context: context, storage: storage, offset: offset)
  }

  /// A view of `shape.count` elements from element `start` on.
  public func view(at start: Int, _ shape: Shape) -> Tensor {
    invariant(
      start >= 0 && start + shape.count <= count, "view: \(shape) at \(start) leaves \(self.shape)")
    return Tensor(
      shape: shape, dtype: dtype, context: context, storage: storage, offset: offset + start)
  }

  /// A view of entries `range` of the outermost axis.
  public subscript(_ range: Range<Int>) -> Tensor {
    let inner = count / max(shape[0], 1)
    return view(
      at: range.lowerBound * inner, Shape([range.count] + shape.dimensions.dropFirst()))
  }

  /// The elements, copied out.
  public var floats: [Float] {
    withFloats { Array(UnsafeBufferPointer(start: $0, count: count)) }
  }

  /// The raw bytes, for files and messages; valid inside `body` only.
  public func withBytes<R>(_ body: (UnsafeMutableRawBufferPointer) throws -> R) rethrows -> R {
    defer { withExtendedLifetime(storage) {} }
    return try body(
      UnsafeMutableRawBufferPointer(
        start: storage.bytes + offset * dtype.size, count: count * dtype.size))
  }

  /// The f32 elements; valid inside `body` only.
  public func withFloats<R>(_ body: (Floats) throws -> R) rethrows -> R {
    invariant(dtype == .float32, "withFloats: the tensor \(shape) holds \(dtype)")
    defer { withExtendedLifetime(storage) {} }
    return try body(
      (storage.bytes + offset * dtype.size).assumingMemoryBound(to: Float.self))
  }

  /// Sets every element, in place; by the threads that operators on flat ranges give each element to, so
  /// that memory lies near them.
  public func fill(_ value: Float) {
    withFloats { values in
      context.threads.forRanges(of: count, grain: 4096) {
        (values + $0.lowerBound).update(repeating: value, count: $0.count)
      }
    }
  }

  /// Copies another tensor's elements into this one, in place.
  public func copy(from other: Tensor) {
    invariant(
      other.count == count && other.dtype == dtype, "copy: \(other.shape) into \(shape)")
    guard context.computes else { return }
    withBytes { to in other.withBytes { from in to.copyMemory(from: UnsafeRawBufferPointer(from)) }
    }
  }
}

public typealias Floats = UnsafeMutablePointer<Float>

/// The f32 elements of several tensors at once; valid inside `body` only.
public func withFloats<R>(
  _ a: Tensor, _ b: Tensor, _ body: (Floats, Floats) throws -> R
) rethrows -> R {
  try a.withFloats { a in try b.withFloats { b in try body(a, b) } }
}

/// The f32 elements of several tensors at once; valid inside `body` only.
public func withFloats<R>(
  _ a: Tensor, _ b: Tensor, _ c: Tensor, _ body: (Floats, Floats, Floats) throws -> R
) rethrows -> R {
  try withFloats(a, b) { a, b in try c.withFloats { c in try body(a, b, c) } }
}

/// The f32 elements of several tensors at once; valid inside `body` only.
public func withFloats<R>(
  _ a: Tensor, _ b: Tensor, _ c: Tensor, _ d: Tensor,
  _ body: (Floats, Floats, Floats, Floats) throws -> R
) rethrows -> R {
  try withFloats(a, b) { a, b in try withFloats(c, d) { c, d in try body(a, b, c, d) } }
}

/// The f32 elements of several tensors at once; valid inside `body` only.
public func withFloats<R>(
  _ a: Tensor, _ b: Tensor, _ c: Tensor, _ d: Tensor, _ e: Tensor,
  _ body: (Floats, Floats, Floats, Floats, Floats) throws -> R
) rethrows -> R {
  try withFloats(a, b, c) { a, b, c in try withFloats(d, e) { d, e in try body(a, b, c, d, e) } }
}
