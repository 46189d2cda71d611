import NumericsSupport
import Operators
import TensorCore
import Testing

@Suite struct AttentionTests {
  static var cases: [PlainAttention] {
    var cases: [PlainAttention] = []
    for (index, window) in [1, 2, 3, 4, 8].enumerated() {
      for (step, width) in [4, 5, 8, 32].enumerated() {
        cases.append(
          PlainAttention(
            images: 2, height: window, width: 2 * window, heads: (index + step) % 3 + 1,
            headWidth: width, window: window))
      }
    }
    // More queries than the kernels hold scores for at once, and not a multiple of a vector.
    cases.append(
      PlainAttention(images: 1, height: 10, width: 10, heads: 2, headWidth: 5, window: 10))
    cases.append(
      PlainAttention(images: 3, height: 6, width: 2, heads: 3, headWidth: 4, window: 2))
    return cases
  }

  @Test(arguments: Setup.all)
  func forwardAndGradients(_ setup: Setup) {
    let engine = setup.engine
    for c in Self.cases {
      let (qkv, shift) = (values(c.qkvCount, 1, scale: 2), values(c.shiftCount, 2))
      let (table, dout) = (values(c.tableCount, 3), values(c.outputCount, 4))
      let operands = c.tensors(qkv, shift, table, on: engine)
      let attention = WindowAttentionOperator(heads: c.heads, window: c.window)
      let out = attention.forward(operands.qkv, shift: operands.shift, table: operands.table)
      #expect(out.shape == [c.images, c.height, c.width, c.channels])
      let forward = c.forward(qkv.wide, shift: shift.wide, table: table.wide)
      #expect(relativeError(out, forward) < 3e-6, "\(c)")

      let (dqkv, shares) = attention.gradient(
        Tensor(dout, out.shape, on: engine), qkv: operands.qkv, shift: operands.shift,
        table: operands.table)
      let expected = c.gradients(dout.wide, qkv: qkv.wide, shift: shift.wide, table: table.wide)
      #expect(relativeError(dqkv, expected.dqkv) < 5e-6, "\(c)")
      let dshift = WindowAttentionOperator.shiftGradient(dqkv)
      #expect(relativeError(dshift, expected.dshift) < 5e-6, "\(c)")
      guard c.window > 1 else { continue }  // one key: the table's true gradient is zero
      checkAccumulation(
        operands.table.shape, expected.dtable, tolerance: 1e-5, on: engine, "\(c) table"
      ) { attention.tableGradient(shares, into: $0, accumulate: $1) }
    }
  }

  /// One key a window: its probability is 1 whatever the bias, and nothing flows into q, k or table.
  @Test(arguments: Setup.all)
  func oneToken(_ setup: Setup) {
    let c = PlainAttention(images: 2, height: 3, width: 2, heads: 2, headWidth: 5, window: 1)
    let (qkv, shift) = (values(c.qkvCount, 1), values(c.shiftCount, 2))
    let operands = c.tensors(qkv, shift, values(c.tableCount, 3), on: setup.engine)
    let attention = WindowAttentionOperator(heads: 2, window: 1)
    let dout = Tensor(values(c.outputCount, 4), [2, 3, 2, 10], on: operands.qkv.engine)
    let (dqkv, shares) = attention.gradient(
      dout, qkv: operands.qkv, shift: operands.shift, table: operands.table)
    #expect(channels(0..<20, of: dqkv).floats.allSatisfy { abs($0) < 1e-6 })
    #expect(channels(20..<30, of: dqkv).floats == dout.floats)
    #expect(shares.floats.allSatisfy { abs($0) < 1e-6 })
  }

  /// Scores far from zero: only their differences count, also where all are very negative and the
  /// window's tokens do not fill a vector.
  @Test(arguments: Setup.all, [-30.0, 30])
  func extremeScores(_ setup: Setup, _ sign: Double) {
    let engine = setup.engine
    for window in [1, 2, 3, 4] {
      let c = PlainAttention(
        images: 1, height: window, width: window, heads: 1, headWidth: 4, window: window)
      // q about 30, k about ±30: scores about ±1,800, a few apart.
      let noise = values(c.qkvCount, 1)
      let offset = [30, Float(sign), 0]
      let qkv = noise.indices.map { noise[$0] / 16 + offset[$0 % 12 / 4] }
      let (shift, table) = (values(c.shiftCount, 2, scale: 0), values(c.tableCount, 3))
      let operands = c.tensors(qkv, shift, table, on: engine)
      let attention = WindowAttentionOperator(heads: 1, window: window)
      let out = attention.forward(operands.qkv, shift: operands.shift, table: operands.table)
      let expected = c.forward(qkv.wide, shift: shift.wide, table: table.wide)
      // Scores of 1,800 are rounded to 1e-4.
      #expect(relativeError(out, expected) < 1e-3, "window \(window)")
      let dout = values(c.outputCount, 4)
      let (dqkv, _) = attention.gradient(
        Tensor(dout, out.shape, on: engine), qkv: operands.qkv, shift: operands.shift,
        table: operands.table)
      let gradients = c.gradients(dout.wide, qkv: qkv.wide, shift: shift.wide, table: table.wide)
      #expect(relativeError(dqkv, gradients.dqkv) < 2e-3, "window \(window)")
    }
  }
}

extension PlainAttention {
  func tensors(_ qkv: [Float], _ shift: [Float], _ table: [Float], on engine: Engine) -> (
    qkv: Tensor, shift: Tensor, table: Tensor
  ) {
    (
      Tensor(qkv, [images, height, width, 3 * channels], on: engine),
      Tensor(shift, [images, 3 * channels], on: engine),
      Tensor(table, [offsets, heads], on: engine)
    )
  }
}
