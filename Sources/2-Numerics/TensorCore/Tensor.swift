/// A contiguous, row-major array of f32 or bf16 elements: a handle to shared storage.
///
/// Copying a tensor copies the handle, not the elements. Operators make new tensors; the few that
/// update one in place say so. Images have shape `[B, H, W, C]` (NHWC), tokens `[..., C]`.
///
/// ```swift
/// import TensorCore
///
/// let context = ComputeContext()
/// let x = Tensor([1, 2, 3, 4, 5, 6], [2, 3], on: context)
/// print(x[1..<2].floats)  // [4.0, 5.0, 6.0]: a view of the second row
/// print(x.reshaped([3, 2]).shape)  // [3, 2], the same storage
/// ```
public struct Tensor: Sendable {
  /// The extents of the axes.
  public let shape: Shape
  /// The element type.
  public let dtype: DType
  /// The context that operators on this tensor run on.
  public let context: ComputeContext
  /// The block of memory, which views share.
  public let storage: Storage
  /// Index of the first element, counted in elements from the start of the storage.
  public let offset: Int

  /// A new tensor with undefined contents (PyTorch: `torch.empty`).
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

  /// A new f32 tensor of zeros.
  public init(zeros shape: Shape, on context: ComputeContext) {
    self.init(shape, on: context)
    fill(0)
  }

  /// A new f32 tensor with these values, in row-major order; as many as the shape has elements.
  public init(_ values: [Float], _ shape: Shape, on context: ComputeContext) {
    invariant(values.count == shape.count, "Tensor: \(values.count) values for shape \(shape)")
    self.init(shape, on: context)
    withFloats { to in
      values.withUnsafeBufferPointer { to.update(from: $0.baseAddress!, count: $0.count) }
    }
  }

  /// The number of elements.
  public var count: Int { shape.count }

  /// The same elements with another shape of the same count; the storage is shared.
  public func reshaped(_ shape: Shape) -> Tensor {
    invariant(shape.count == count, "reshaped: \(self.shape) does not hold \(shape)")
    return Tensor(shape: shape, dtype: dtype, context: context, storage: storage, offset: offset)
  }

  /// A view of `shape.count` consecutive elements, the first of which is element `start`; the
  /// storage is shared.
  public func view(at start: Int, _ shape: Shape) -> Tensor {
    invariant(
      start >= 0 && start + shape.count <= count, "view: \(shape) at \(start) leaves \(self.shape)")
    return Tensor(
      shape: shape, dtype: dtype, context: context, storage: storage, offset: offset + start)
  }

  /// A view of the entries `range` of the outermost axis, such as some images of a batch.
  public subscript(_ range: Range<Int>) -> Tensor {
    let inner = count / max(shape[0], 1)
    return view(
      at: range.lowerBound * inner, Shape([range.count] + shape.dimensions.dropFirst()))
  }

  /// A copy of all elements, in row-major order. The tensor must be f32.
  public var floats: [Float] {
    withFloats { Array(UnsafeBufferPointer(start: $0, count: count)) }
  }

  /// Calls `body` with the raw bytes, for files and messages; the buffer is valid only inside
  /// `body`.
  public func withBytes<R>(_ body: (UnsafeMutableRawBufferPointer) throws -> R) rethrows -> R {
    defer { withExtendedLifetime(storage) {} }
    return try body(
      UnsafeMutableRawBufferPointer(
        start: storage.bytes + offset * dtype.size, count: count * dtype.size))
  }

  /// Calls `body` with the elements of an f32 tensor; the pointer is valid only inside `body`.
  public func withFloats<R>(_ body: (Floats) throws -> R) rethrows -> R {
    invariant(dtype == .float32, "withFloats: the tensor \(shape) holds \(dtype)")
    defer { withExtendedLifetime(storage) {} }
    return try body(
      (storage.bytes + offset * dtype.size).assumingMemoryBound(to: Float.self))
  }

  /// Sets every element of an f32 tensor, in place. Each thread fills the range that operators on
  /// flat ranges give it, so that the memory lies near that thread.
  public func fill(_ value: Float) {
    withFloats { values in
      context.threads.forRanges(of: count, grain: 4096) {
        (values + $0.lowerBound).update(repeating: value, count: $0.count)
      }
    }
  }

  /// Copies the elements of another tensor of the same count and type into this one, in place, on
  /// the calling thread.
  public func copy(from other: Tensor) {
    invariant(
      other.count == count && other.dtype == dtype, "copy: \(other.shape) into \(shape)")
    guard context.computes else { return }
    withBytes { to in other.withBytes { from in to.copyMemory(from: UnsafeRawBufferPointer(from)) }
    }
  }
}

/// A pointer to f32 elements.
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
