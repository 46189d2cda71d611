import NumericsSupport
import Operators
import TensorCore
import Testing

@Suite struct PixelAttentionTests {
  /// Several blocks of queries, one, and a single pixel.
  static let shapes: [Shape] = [[2, 17, 19, 24], [3, 3, 5, 7], [1, 1, 1, 33], [1, 4, 4, 512]]

  private func inputs(_ shape: Shape) -> [[Float]] {
    [values(shape.count, 1, scale: 2), values(shape.count, 2, scale: 2), values(shape.count, 3)]
  }

  @Test(arguments: Setup.all)
  func matchesTheDefinition(_ setup: Setup) {
    let context = setup.context
    for shape in Self.shapes {
      let (x, dout) = (inputs(shape), values(shape.count, 4))
      let t = x.map { Tensor($0, shape, on: context) }
      let (pixels, channels) = (shape[1] * shape[2], shape[3])
      let out = PixelAttentionOperator.forward(t[0], t[1], t[2])
      let expected = PlainPixelAttention.forward(x.map(\.wide), shape[0], pixels, channels)
      #expect(relativeError(out, expected) < 3e-6, "\(shape)")
      let d = PixelAttentionOperator.gradient(Tensor(dout, shape, on: context), t[0], t[1], t[2])
      let slopes = PlainPixelAttention.gradients(
        dout.wide, x.map(\.wide), shape[0], pixels, channels)
      guard pixels > 1 else {
        #expect(d.dq.floats.allSatisfy { abs($0) < 1e-6 } && d.dv.floats == dout)
        continue
      }
      for (ours, plain) in zip([d.dq, d.dk, d.dv], slopes) {
        #expect(relativeError(ours, plain) < 1e-5, "\(shape)")
      }
    }
  }

  @Test(arguments: Setup.levels)
  func halfPrecision(_ level: KernelTable.Level) {
    let context = Setup(level, threads: 2).context
    let shape: Shape = [2, 17, 19, 64]
    let wide = inputs(shape).map { Tensor($0, shape, on: context).cast(to: .bfloat16) }
    let dout = Tensor(values(shape.count, 4), shape, on: context).cast(to: .bfloat16)
    let plain = wide.map { $0.cast(to: .float32).floats.wide }
    let out = PixelAttentionOperator.forward(wide[0], wide[1], wide[2])
    #expect(out.dtype == .bfloat16)
    #expect(
      relativeError(
        out.cast(to: .float32), PlainPixelAttention.forward(plain, 2, 17 * 19, 64)) < 1e-2)
    let d = PixelAttentionOperator.gradient(dout, wide[0], wide[1], wide[2])
    let slopes = PlainPixelAttention.gradients(
      dout.cast(to: .float32).floats.wide, plain, 2, 17 * 19, 64)
    for (ours, plain) in zip([d.dq, d.dk, d.dv], slopes) {
      #expect(relativeError(ours.cast(to: .float32), plain) < 1e-2)
    }
  }

  /// Scores beyond the exponential's range, and rows with a number that is none.
  @Test(arguments: Setup.levels)
  func extremes(_ level: KernelTable.Level) {
    let context = Setup(level, threads: 1).context
    var q = [Float](repeating: 1e3, count: 5 * 3)
    var k = (0..<15).map { Float($0 / 3) * 1e3 }
    let v = values(15, 3)
    func out() -> [Float] {
      let t = [q, k, v].map { Tensor($0, [1, 1, 5, 3], on: context) }
      return PixelAttentionOperator.forward(t[0], t[1], t[2]).floats
    }
    #expect(out() == (0..<5).flatMap { _ in v.suffix(3) }, "the last key takes all")
    k[0] = .nan
    #expect(out().allSatisfy { $0.isNaN })
    k[0] = 0
    q[4] = .nan
    #expect(out().map { $0.isNaN } == (0..<15).map { $0 / 3 == 1 })
  }
}
