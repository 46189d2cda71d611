/// The order of a parameter's axes in memory, compared with PyTorch's order, which files have.
///
/// In memory every layer is a row-major matrix product on NHWC rows, so weights are [..., in, out].
/// PyTorch puts the outputs first (in a transposed convolution the inputs).
public enum TensorLayout: String, Codable, Sendable, CaseIterable {
  /// The same order in memory and file.
  case plain
  /// Memory [in, out], file [out, in].
  case linear
  /// Memory [kh, kw, in, out], file [out, in, kh, kw].
  case convolution
  /// Memory [kh, kw, in, out], file [in, out, kh, kw].
  case transposedConvolution

  /// The shape in the file of a tensor that has this shape in memory.
  public func fileShape(_ memory: Shape) -> Shape {
    let d = memory.dimensions
    switch self {
    case .plain: return memory
    case .linear: return [d[1], d[0]]
    case .convolution: return [d[3], d[2], d[0], d[1]]
    case .transposedConvolution: return [d[2], d[3], d[0], d[1]]
    }
  }

  /// Whether a tensor of this shape in the file can have this layout.
  public func accepts(fileShape shape: [Int]) -> Bool {
    switch self {
    case .plain: true
    case .linear: shape.count == 2
    case .convolution, .transposedConvolution: shape.count == 4
    }
  }

  /// How file elements map to memory: the extents of the file's axes a, b and kernel k, and the
  /// stride of each in memory.
  private struct Strides {
    let (a, b, k): (Int, Int, Int)
    let (strideA, strideB, strideK): (Int, Int, Int)
  }

  /// Nil for `plain`.
  private func strides(_ shape: [Int]) -> Strides? {
    invariant(accepts(fileShape: shape), "TensorLayout.\(self): shape \(shape)")
    switch self {
    case .plain: return nil
    case .linear:
      return Strides(a: shape[0], b: shape[1], k: 1, strideA: 1, strideB: shape[0], strideK: 0)
    case .convolution:
      return Strides(
        a: shape[0], b: shape[1], k: shape[2] * shape[3],
        strideA: 1, strideB: shape[0], strideK: shape[0] * shape[1])
    case .transposedConvolution:
      return Strides(
        a: shape[0], b: shape[1], k: shape[2] * shape[3],
        strideA: shape[1], strideB: 1, strideK: shape[0] * shape[1])
    }
  }

  /// Reorders elements from memory order into file order. The two buffers must not overlap.
  ///
  /// - Parameters:
  ///   - memory: the elements in memory order.
  ///   - file: room for as many elements.
  ///   - shape: the shape in the file.
  public func toFile(_ memory: UnsafePointer<Float>, _ file: Floats, shape: [Int]) {
    guard let s = strides(shape) else {
      return file.update(from: memory, count: shape.reduce(1, *))
    }
    forEach(s) { file[$0] = memory[$1] }
  }

  /// Reorders elements from file order into memory order. The two buffers must not overlap.
  ///
  /// - Parameters:
  ///   - file: the elements in file order.
  ///   - memory: room for as many elements.
  ///   - shape: the shape in the file.
  public func toMemory(_ file: UnsafePointer<Float>, _ memory: Floats, shape: [Int]) {
    guard let s = strides(shape) else {
      return memory.update(from: file, count: shape.reduce(1, *))
    }
    forEach(s) { memory[$1] = file[$0] }
  }

  /// Calls `body` with each element's index in the file and in memory, in strips of the first axis,
  /// so that large transpositions stay in the cache.
  @inline(__always)
  private func forEach(_ s: Strides, _ body: (Int, Int) -> Void) {
    let strip = 16
    for first in stride(from: 0, to: s.a, by: strip) {
      for b in 0..<s.b {
        for a in first..<min(first + strip, s.a) {
          for k in 0..<s.k {
            body((a * s.b + b) * s.k + k, a * s.strideA + b * s.strideB + k * s.strideK)
          }
        }
      }
    }
  }

  /// `toFile` for arrays; returns the elements in file order.
  public func toFile(_ memory: [Float], shape: [Int]) -> [Float] {
    reordered(memory, shape) { toFile($0, $1, shape: shape) }
  }

  /// `toMemory` for arrays; returns the elements in memory order.
  public func toMemory(_ file: [Float], shape: [Int]) -> [Float] {
    reordered(file, shape) { toMemory($0, $1, shape: shape) }
  }

  private func reordered(
    _ values: [Float], _ shape: [Int], _ body: (UnsafePointer<Float>, Floats) -> Void
  ) -> [Float] {
    invariant(
      values.count == shape.reduce(1, *), "TensorLayout: \(values.count) values, shape \(shape)")
    var result = [Float](repeating: 0, count: values.count)
    values.withUnsafeBufferPointer { from in
      result.withUnsafeMutableBufferPointer { to in
        if let from = from.baseAddress, let to = to.baseAddress { body(from, to) }
      }
    }
    return result
  }
}
