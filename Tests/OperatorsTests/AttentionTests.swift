import NumericsSupport
import Operators
import TensorCore
import Testing

@Suite struct AttentionTests {
  /// Every window up to 8 with several head widths: parts of vectors, whole ones, and both; then windows
  /// whose rows fill vectors or do not, and more queries than scores are held for at once.
  static var cases: [PlainAttention] {
    var cases: [PlainAttention] = []
    for (index, window) in (1...8).enumerated() {
      for (step, width) in [4, 5, 8, 20, 32, 72].enumerated() where (index + step) % 2 == 0 {
        cases.append(
          PlainAttention(
            images: 2, height: window, width: 2 * window, heads: (index + step) % 3 + 1,
            headDim: width, window: window))
      }
    }
    for (window, width) in [(10, 5), (12, 33), (15, 16), (16, 20), (16, 32)] {
      cases.append(
        PlainAttention(
          images: 1, height: window, width: window, heads: 2, headDim: width, window: window))
    }
    cases.append(
      PlainAttention(images: 3, height: 6, width: 2, heads: 3, headDim: 4, window: 2))
    return cases
  }
  static let examples = cases.map { AttentionExample($0) }

  @Test(arguments: Setup.all, [DType.float32, .bfloat16])
  func forwardAndGradients(_ setup: Setup, _ dtype: DType) {
    let context = setup.context
    for example in Self.examples { example.check(dtype, on: context) }
  }

  /// One window as large as the image.
  @Test(arguments: [16, 18, 24, 32])
  func global(_ side: Int) {
    let example = AttentionExample(
      PlainAttention(
        images: 1, height: side, width: side, heads: 1, headDim: side == 32 ? 72 : 64,
        window: side))
    for level in Setup.levels {
      for dtype in [DType.float32, .bfloat16] {
        example.check(dtype, on: Setup(level, threads: 1).context)
      }
    }
  }

  /// One key a window: its probability is 1 whatever the bias, and nothing flows into q, k or table.
  @Test(arguments: Setup.all)
  func oneToken(_ setup: Setup) {
    let c = PlainAttention(images: 2, height: 3, width: 2, heads: 2, headDim: 5, window: 1)
    let (qkv, shift) = (values(c.qkvCount, 1), values(c.shiftCount, 2))
    let operands = c.tensors(qkv, shift, values(c.tableCount, 3), on: setup.context)
    let attention = WindowAttentionOperator(heads: 2, window: 1)
    let dout = Tensor(values(c.outputCount, 4), [2, 3, 2, 10], on: operands.qkv.context)
    let (dqkv, _, shares) = attention.gradient(
      dout, qkv: operands.qkv, shift: operands.shift, table: operands.table)
    #expect(channels(0..<20, of: dqkv).floats.allSatisfy { abs($0) < 1e-6 })
    #expect(channels(20..<30, of: dqkv).floats == dout.floats)
    #expect(shares.floats.allSatisfy { abs($0) < 1e-6 })
  }

  /// Scores far from zero: only their differences count, also where all are very negative and the
  /// window's tokens do not fill a vector.
  @Test(arguments: Setup.all, [-30.0, 30])
  func extremeScores(_ setup: Setup, _ sign: Double) {
    let context = setup.context
    for window in [1, 2, 3, 4] {
      let c = PlainAttention(
        images: 1, height: window, width: window, heads: 1, headDim: 4, window: window)
      // q about 30, k about ±30: scores about ±1,800, a few apart.
      let noise = values(c.qkvCount, 1)
      let offset = [30, Float(sign), 0]
      let qkv = noise.indices.map { noise[$0] / 16 + offset[$0 % 12 / 4] }
      let (shift, table) = (values(c.shiftCount, 2, scale: 0), values(c.tableCount, 3))
      let operands = c.tensors(qkv, shift, table, on: context)
      let attention = WindowAttentionOperator(heads: 1, window: window)
      let out = attention.forward(operands.qkv, shift: operands.shift, table: operands.table)
      let expected = c.forward(qkv.wide, shift: shift.wide, table: table.wide)
      // Scores of 1,800 are rounded to 1e-4.
      #expect(relativeError(out, expected) < 1e-3, "window \(window)")
      let dout = values(c.outputCount, 4)
      let (dqkv, _, _) = attention.gradient(
        Tensor(dout, out.shape, on: context), qkv: operands.qkv, shift: operands.shift,
        table: operands.table)
      let gradients = c.gradients(dout.wide, qkv: qkv.wide, shift: shift.wide, table: table.wide)
      #expect(relativeError(dqkv, gradients.dqkv) < 2e-3, "window \(window)")
    }
  }
}

/// Operands that both element types hold exactly, and what attention makes of them in f64.
struct AttentionExample: Sendable {
  let attention: PlainAttention
  let qkv: [Float], shift: [Float], table: [Float], dout: [Float]
  let out: [Double], dqkv: [Double], dshift: [Double], dtable: [Double]

  init(_ c: PlainAttention) {
    attention = c
    qkv = values(c.qkvCount, 1, scale: 2).map(Self.rounded)
    (shift, table) = (values(c.shiftCount, 2), values(c.tableCount, 3))
    dout = values(c.outputCount, 4).map(Self.rounded)
    out = c.forward(qkv.wide, shift: shift.wide, table: table.wide)
    (dqkv, dshift, dtable) = c.gradients(
      dout.wide, qkv: qkv.wide, shift: shift.wide, table: table.wide)
  }

  /// Cut to the upper half of its bits.
  private static func rounded(_ x: Float) -> Float {
    Float(bitPattern: x.bitPattern & 0xffff_0000)
  }

  func check(
    _ dtype: DType, on context: ComputeContext, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let c = attention
    let operands = c.tensors(qkv, shift, table, dtype, on: context)
    let operation = WindowAttentionOperator(heads: c.heads, window: c.window)
    let y = operation.forward(operands.qkv, shift: operands.shift, table: operands.table)
    #expect(y.shape == [c.images, c.height, c.width, c.channels] && y.dtype == dtype)
    compare(y, out, 3e-6, "\(c) out", sourceLocation)

    let (slope, dshift, shares) = operation.gradient(
      Tensor(dout, y.shape, on: context).cast(to: dtype), qkv: operands.qkv, shift: operands.shift,
      table: operands.table)
    #expect(slope.shape == operands.qkv.shape && slope.dtype == dtype)
    compare(slope, dqkv, 5e-6, "\(c) dqkv", sourceLocation)
    // Summed before rounding, whatever the type.
    #expect(
      relativeError(dshift, self.dshift) < 5e-6, "\(c) shift", sourceLocation: sourceLocation)
    guard c.window > 1 else { return }  // one key: the table's true gradient is zero
    checkAccumulation(
      operands.table.shape, dtable, tolerance: 1e-5, on: context, "\(c) table",
      sourceLocation: sourceLocation
    ) { operation.tableGradient(shares, into: $0, accumulate: $1) }
  }

  /// Within `tolerance` of the largest number, and, of a bf16 tensor, half a unit in the last place.
  private func compare(
    _ a: Tensor, _ b: [Double], _ tolerance: Double, _ what: String,
    _ sourceLocation: SourceLocation
  ) {
    let slack = tolerance * b.reduce(0) { max($0, abs($1)) }
    let relative = a.dtype == .float32 ? 0 : 1.0 / 256
    let wrong = zip(a.cast(to: .float32).floats, b).filter {
      !(abs(Double($0) - $1) <= relative * abs($1) + slack)
    }
    #expect(
      wrong.isEmpty, "\(what): \(wrong.count) wrong, first \(wrong.first.map { "\($0)" } ?? "")",
      sourceLocation: sourceLocation)
  }
}

extension PlainAttention {
  func tensors(
    _ qkv: [Float], _ shift: [Float], _ table: [Float], _ dtype: DType = .float32,
    on context: ComputeContext
  ) -> (qkv: Tensor, shift: Tensor, table: Tensor) {
    (
      Tensor(qkv, [images, height, width, 3 * channels], on: context).cast(to: dtype),
      Tensor(shift, [images, 3 * channels], on: context),
      Tensor(table, [offsets, heads], on: context)
    )
  }
}
