import CKernels
import TensorCore

/// The kernels under test, of one instruction set and element type, on arrays of f32. Activations are
/// converted on the way in and out; `values` are exact in either type.
struct TypedKernels: Sendable, CustomStringConvertible {
  let table: KernelTable
  let dtype: DType

  static let available = KernelTable.Level.allCases.compactMap { KernelTable($0) }.flatMap {
    [TypedKernels(table: $0, dtype: .float32), TypedKernels(table: $0, dtype: .bfloat16)]
  }

  var description: String { "\(table.level), \(dtype.rawValue)" }
  private var calls: dk_kernels { table[dtype] }

  /// Values in (-1, 1) that the element type holds exactly.
  func values(_ count: Int, _ substream: Int) -> [Float] {
    let values = randomFloats(count, substream)
    return dtype == .float32 ? values : values.map(\.roundedToBF16)
  }

  /// Weights w [taps, k, n], or transposed [taps, n, k], as column panels.
  func pack(_ w: [Float], taps: Int, k: Int, n: Int, transposed: Bool = false) -> [UInt8] {
    precondition(w.count == taps * k * n)
    let bytes = Int(calls.packed_bytes(Int64(taps), Int64(k), Int64(n)))
    // One byte more than it needs, which must survive.
    var packed = [UInt8](repeating: 0xa5, count: bytes + 1)
    calls.pack(
      w, Int64(taps), Int64(k), Int64(n), transposed ? 1 : 0, 0, Int64(n), &packed)
    precondition(packed.removeLast() == 0xa5, "pack wrote past its panels")
    return packed
  }

  /// What the panels hold, as f32.
  func unpacked(_ packed: [UInt8]) -> [Float] { floats(packed) }

  /// y in f32, whatever the element type.
  func product(
    _ g: dk_geometry, over range: Range<Int>? = nil, _ x: [Float], _ packed: [UInt8],
    bias: [Float]? = nil, least: [Float]? = nil, addend: [Float]? = nil, into y: inout [Float]
  ) {
    let range = range ?? 0..<g.positions
    let x = elements(x)
    withUnsafePointer(to: g) { g in
      bias.withPointer { bias in
        least.withPointer { least in
          addend.withPointer { addend in
            var epilogue = dk_epilogue(
              bias: bias, least: least, addend: addend, activated: nil, output: DK_F32)
            calls.product(
              g, Int64(range.lowerBound), Int64(range.upperBound), x, packed, &epilogue, &y)
          }
        }
      }
    }
  }

  /// y and GELU(y) in the element type.
  func typedProduct(
    _ g: dk_geometry, _ x: [Float], _ packed: [UInt8], bias: [Float], addend: [Float]?,
    keepsInput: Bool = true
  ) -> (y: [Float], activated: [Float]) {
    let count = Int(g.images * g.out_h * g.out_w * g.out_pitch)
    var y = [UInt8](repeating: 0, count: count * dtype.size)
    var activated = y
    let (x, addend) = (elements(x), addend.map(elements))
    withUnsafePointer(to: g) { g in
      bias.withUnsafeBufferPointer { bias in
        addend.withPointer { addend in
          activated.withUnsafeMutableBytes { activated in
            var epilogue = dk_epilogue(
              bias: bias.baseAddress, least: nil, addend: addend, activated: activated.baseAddress,
              output: dtype == .float32 ? DK_F32 : DK_BF16)
            y.withUnsafeMutableBytes { y in
              calls.product(
                g, 0, Int64(g.pointee.positions), x, packed, &epilogue,
                keepsInput ? y.baseAddress : nil)
            }
          }
        }
      }
    }
    return (floats(y), floats(activated))
  }

  func weightGradient(
    _ g: dk_geometry, over range: Range<Int>? = nil, _ x: [Float], _ dy: [Float],
    into dw: inout [Float], accumulate: Bool = false
  ) {
    let range = range ?? 0..<Int(Int64(g.weight_taps) * g.in_channels)
    let (x, dy) = (elements(x), elements(dy))
    withUnsafePointer(to: g) { g in
      let bytes = Int(calls.weight_gradient_scratch(g, Int64(range.count)))
      let scratch = UnsafeMutableRawPointer.allocate(byteCount: bytes + 64, alignment: 64)
      defer { scratch.deallocate() }
      scratch.initializeMemory(as: UInt8.self, repeating: 0xff, count: bytes + 64)  // NaN, if read
      calls.weight_gradient(
        g, Int64(range.lowerBound), Int64(range.upperBound), x, dy, accumulate ? 1 : 0, scratch,
        &dw)
      let guardBytes = UnsafeRawBufferPointer(start: scratch + bytes, count: 64)
      precondition(guardBytes.allSatisfy { $0 == 0xff }, "weight_gradient left its scratch")
    }
  }

  func columnSums(
    _ x: [Float], rows: Int, n: Int, over range: Range<Int>, into out: inout [Float],
    accumulate: Bool = false
  ) {
    calls.column_sums(
      elements(x), Int64(rows), Int64(n), Int64(range.lowerBound), Int64(range.upperBound),
      accumulate ? 1 : 0, &out)
  }

  private func elements(_ values: [Float]) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: values.count * dtype.size)
    calls.from_f32(values, 0, Int64(values.count), &bytes)
    return bytes
  }

  private func floats(_ bytes: [UInt8]) -> [Float] {
    var values = [Float](repeating: 0, count: bytes.count / dtype.size)
    calls.to_f32(bytes, 0, Int64(values.count), &values)
    return values
  }
}

extension Float {
  /// The nearest bf16, ties to even, by integer arithmetic of its own.
  var roundedToBF16: Float {
    let (upper, lower) = (bitPattern >> 16, bitPattern & 0xffff)
    let up = lower > 0x8000 || (lower == 0x8000 && upper & 1 == 1)
    return Float(bitPattern: (upper + (up ? 1 : 0)) << 16)
  }
}

extension Optional {
  fileprivate func withPointer<Element, R>(
    _ body: (UnsafePointer<Element>?) -> R
  ) -> R where Wrapped == [Element] {
    guard let self else { return body(nil) }
    return self.withUnsafeBufferPointer { body($0.baseAddress) }
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
