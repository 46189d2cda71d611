/// How a parameter lies in memory, where the file has PyTorch's layout.
///
/// In memory every layer is a row-major matrix product over NHWC rows, so weights are [..., in, out];
/// PyTorch has the outputs first (inputs first in a transposed convolution).
public enum TensorLayout: String, Codable, Sendable, CaseIterable {
  /// The same in memory and file.
  case plain
  /// Memory [in, out], file [out, in].
  case linear
  /// Memory [kh, kw, in, out], file [out, in, kh, kw].
  case convolution
  /// Memory [kh, kw, in, out], file [in, out, kh, kw].
  case transposedConvolution

  /// Shape in the file of a tensor of this shape in memory.
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

  /// Where file elements lie in memory: file axes a, b and the kernel k, and memory's stride of each.
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

  /// Reorders memory's elements as the file has them. The two must not overlap.
  /// - Parameter shape: the shape in the file.
  public func toFile(_ memory: UnsafePointer<Float>, _ file: Floats, shape: [Int]) {
    guard let s = strides(shape) else {
      return file.update(from: memory, count: shape.reduce(1, *))
    }
    forEach(s) { file[$0] = memory[$1] }
  }

  /// Reorders a file's elements as memory has them. The two must not overlap.
  /// - Parameter shape: the shape in the file.
  public func toMemory(_ file: UnsafePointer<Float>, _ memory: Floats, shape: [Int]) {
    guard let s = strides(shape) else {
      return memory.update(from: file, count: shape.reduce(1, *))
    }
    forEach(s) { memory[$1] = file[$0] }
  }

  /// Calls `body` with each element's place in the file and in memory. In strips of the first axis,
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

  /// `toFile` on arrays.
  public func toFile(_ memory: [Float], shape: [Int]) -> [Float] {
    reordered(memory, shape) { toFile($0, $1, shape: shape) }
  }

  /// `toMemory` on arrays.
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
