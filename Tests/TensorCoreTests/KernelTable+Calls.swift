import CKernels
import TensorCore

/// The kernels under test on arrays.
extension KernelTable {
  static let available = Level.allCases.compactMap { KernelTable($0) }

  /// Weights w [taps, k, n], or transposed [taps, n, k], as column panels.
  func pack(_ w: [Float], taps: Int, k: Int, n: Int, transposed: Bool = false) -> [Float] {
    precondition(w.count == taps * k * n)
    let width = Int(table.pointee.vector_width)
    // One float more than it needs, which must survive.
    var packed = [Float](
      repeating: .infinity, count: taps * k * ((n + width - 1) / width * width) + 1)
    table.pointee.pack(w, Int64(taps), Int64(k), Int64(n), transposed ? 1 : 0, &packed)
    precondition(packed.removeLast() == .infinity, "pack wrote past its panels")
    return packed
  }

  func product(
    _ g: dk_geometry, over range: Range<Int>? = nil, _ x: [Float], _ packed: [Float],
    bias: [Float]? = nil, into y: inout [Float], accumulate: Bool = false
  ) {
    let range = range ?? 0..<g.positions
    withUnsafePointer(to: g) { g in
      table.pointee.product(
        g, Int64(range.lowerBound), Int64(range.upperBound), x, packed, bias, accumulate ? 1 : 0, &y
      )
    }
  }

  func weightGradient(
    _ g: dk_geometry, over range: Range<Int>? = nil, _ x: [Float], _ dy: [Float],
    into dw: inout [Float], accumulate: Bool = false
  ) {
    let range = range ?? 0..<Int(Int64(g.weight_taps) * g.in_channels)
    withUnsafePointer(to: g) { g in
      table.pointee.weight_gradient(
        g, Int64(range.lowerBound), Int64(range.upperBound), x, dy, accumulate ? 1 : 0, &dw)
    }
  }

  func columnSums(
    _ x: [Float], rows: Int, n: Int, over range: Range<Int>, into out: inout [Float],
    accumulate: Bool = false
  ) {
    table.pointee.column_sums(
      x, Int64(rows), Int64(n), Int64(range.lowerBound), Int64(range.upperBound),
      accumulate ? 1 : 0, &out)
  }
}

/// Cuts `0..<count` into pieces of 1, 2, 3, ... so that every tile height and offset occurs.
func pieces(_ count: Int) -> [Range<Int>] {
  var (pieces, begin) = ([Range<Int>](), 0)
  while begin < count {
    let end = min(begin + pieces.count % 11 + 1, count)
    pieces.append(begin..<end)
    begin = end
  }
  return pieces
}

func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }
