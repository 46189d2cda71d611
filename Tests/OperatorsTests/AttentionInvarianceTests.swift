import NumericsSupport
import Operators
import TensorCore
import Testing

/// What attention's results must not depend on, and what they must show.
@Suite struct AttentionInvarianceTests {
  static let types = [DType.float32, .bfloat16]
  /// Windows held densely or by rows, one or several an image; head widths with and without a part.
  static let cases = [(3, 6, 5), (4, 8, 32), (7, 7, 20), (8, 16, 8), (16, 16, 72), (18, 18, 9)]
    .map { window, side, width in
      PlainAttention(
        images: 3, height: side, width: side, heads: 3, headDim: width, window: window)
    }

  /// Everything attention computes of some images, as bits.
  private func results(
    _ c: PlainAttention, _ images: Range<Int>, _ dtype: DType, on context: ComputeContext
  ) -> [[UInt32]] {
    let operands = c.tensors(
      values(c.qkvCount, 1), values(c.shiftCount, 2), values(c.tableCount, 3), dtype, on: context)
    let attention = WindowAttentionOperator(heads: c.heads, window: c.window)
    let (qkv, shift) = (operands.qkv[images], operands.shift[images])
    let out = attention.forward(qkv, shift: shift, table: operands.table)
    let (dqkv, dshift, shares) = attention.gradient(
      out, qkv: qkv, shift: shift, table: operands.table)
    let table = Tensor(operands.table.shape, on: context)
    attention.tableGradient(shares, into: table, accumulate: false)
    let perImage = [out, dqkv, shares, dshift]
    return (perImage + (images.count == c.images ? [table] : []))
      .map { $0.cast(to: .float32).bits }
  }

  @Test(arguments: Setup.levels, types)
  func threads(_ level: KernelTable.Level, _ dtype: DType) {
    for c in Self.cases {
      let alone = results(c, 0..<3, dtype, on: Setup(level, threads: 1).context)
      for count in [2, 4] {
        let together = results(c, 0..<3, dtype, on: Setup(level, threads: count).context)
        #expect(together == alone, "\(c), \(count) threads")
      }
    }
  }

  @Test(arguments: Setup.levels, types)
  func batches(_ level: KernelTable.Level, _ dtype: DType) {
    let context = Setup(level, threads: 2).context
    for c in Self.cases {
      let together = results(c, 0..<3, dtype, on: context)
      for image in 0..<3 {
        for (one, all) in zip(results(c, image..<image + 1, dtype, on: context), together) {
          let part = all[image * one.count..<(image + 1) * one.count]
          #expect(one == Array(part), "\(c), image \(image)")
        }
      }
    }
  }

  /// A NaN in a token's q, k or v comes out of its own window and head, and of no other.
  @Test(arguments: Setup.levels, types)
  func nonFinite(_ level: KernelTable.Level, _ dtype: DType) {
    let context = Setup(level, threads: 1).context
    for c in Self.cases {
      let attention = WindowAttentionOperator(heads: c.heads, window: c.window)
      let clean = values(c.qkvCount, 1)
      let last = c.height * c.width - 1  // a token of the first image's last window
      for part in 0..<3 {
        var qkv = clean
        let head = 1
        qkv[(last * 3 + part) * c.channels + head * c.headDim + c.headDim - 1] = .nan
        let operands = c.tensors(
          qkv, values(c.shiftCount, 2), values(c.tableCount, 3), dtype, on: context)
        let out = attention.forward(operands.qkv, shift: operands.shift, table: operands.table)
        let dout = Tensor(values(c.outputCount, 4), out.shape, on: context).cast(to: dtype)
        let (dqkv, _, shares) = attention.gradient(
          dout, qkv: operands.qkv, shift: operands.shift, table: operands.table)
        #expect(heads(of: out, c) == [[false, true, false]], "\(c), part \(part)")
        #expect(heads(of: dqkv, c) == [[false, true, false]], "\(c), part \(part)")
        let table = shares.floats.map { !$0.isFinite }
        #expect(table[c.offsets..<2 * c.offsets].contains(true), "\(c), part \(part)")
        #expect(!table[..<c.offsets].contains(true) && !table[(2 * c.offsets)...].contains(true))
        guard c.window < c.width else { continue }
        let first = out[0..<1].cast(to: .float32).floats.prefix(c.channels)
        #expect(first.allSatisfy { $0.isFinite }, "another window of \(c)")
      }
    }
  }

  /// Which heads of the first image hold a number that is not finite. Empty where another
  /// image holds one too.
  private func heads(of x: Tensor, _ c: PlainAttention) -> Set<[Bool]> {
    let floats = x.cast(to: .float32).floats
    let perImage = floats.count / c.images
    guard floats[perImage...].allSatisfy({ $0.isFinite }) else { return [] }
    var found = [Bool](repeating: false, count: c.heads)
    for i in 0..<perImage where !floats[i].isFinite {
      found[i % c.channels / c.headDim] = true
    }
    return [found]
  }

  /// Tensors inside a larger one of NaNs.
  @Test(arguments: Setup.levels, types)
  func surroundings(_ level: KernelTable.Level, _ dtype: DType) {
    let context = Setup(level, threads: 1).context
    for c in Self.cases {
      let operands = c.tensors(
        values(c.qkvCount, 1), values(c.shiftCount, 2), values(c.tableCount, 3), dtype, on: context)
      let dout = Tensor(
        values(c.outputCount, 4), [c.images, c.height, c.width, c.channels], on: context
      ).cast(to: dtype)
      let attention = WindowAttentionOperator(heads: c.heads, window: c.window)
      let (qkv, shift, table) = (
        surrounded(operands.qkv), surrounded(operands.shift), surrounded(operands.table)
      )
      let out = attention.forward(qkv, shift: shift, table: table)
      let (dqkv, dshift, shares) = attention.gradient(
        surrounded(dout), qkv: qkv, shift: shift, table: table)
      for result in [out, dqkv, dshift, shares] {
        #expect(result.cast(to: .float32).floats.allSatisfy { $0.isFinite }, "\(c)")
      }
    }
  }

  private func surrounded(_ x: Tensor) -> Tensor {
    let margin = 64
    let large = Tensor([x.count + 2 * margin], on: x.context)
    large.fill(.nan)
    let view = large.cast(to: x.dtype).view(at: margin, x.shape)
    view.copy(from: x)
    return view
  }
}
