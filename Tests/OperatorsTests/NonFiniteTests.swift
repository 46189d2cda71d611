import NumericsSupport
import Operators
import TensorCore
import Testing

/// A number that is not finite must reach the loss, where the policy sees it: no operator scrubs one.
@Suite struct NonFiniteTests {
  /// NaN as hardware makes it, as Swift makes it, with a payload, with all bits set; infinities.
  static let poisons: [Float] = [
    Float(bitPattern: 0xffc0_0000), .nan, Float(bitPattern: 0x7fc0_0001),
    Float(bitPattern: 0xffff_ffff), .infinity, -.infinity,
  ]

  /// Arguments cannot be NaN (they are compared), so tests take an index.
  private func poisoned(_ x: [Float], at index: Int, _ poison: Float) -> [Float] {
    var x = x
    x[index] = poison
    return x
  }

  @Test(arguments: Setup.levels, poisons.indices)
  func elements(_ level: KernelTable.Level, _ index: Int) {
    let context = Setup(level, threads: 1).context
    let poison = Self.poisons[index]
    for at in [0, 5, 18] {
      let x = Tensor(poisoned(values(19, 1), at: at, poison), [1, 19], on: context)
      let clean = Tensor(values(19, 2), [1, 19], on: context)
      let results = [
        ActivationOperator.silu.forward(x), ActivationOperator.gelu.forward(x),
        ActivationOperator.silu.gradient(x, x: clean),
        ActivationOperator.gelu.gradient(x, x: clean),
        sum(x, clean), scaled(x, by: [0.5], plus: clean),
        DropoutOperator(rate: 0.9, seed: 1, layer: 0, positions: [0])(x),
        SquaredErrorOperator.forward(x, target: clean, weights: [1]).gradient,
      ]
      for (number, result) in results.enumerated() {
        for (i, y) in result.floats.enumerated() {
          // Dropout may zero an infinity's element only into NaN.
          #expect(y.isFinite == (i != at), "operator \(number), element \(i)")
        }
      }
      #expect(!SquaredErrorOperator.forward(x, target: clean, weights: [1]).terms[0].isFinite)
    }
  }

  @Test(arguments: Setup.levels, poisons.indices)
  func products(_ level: KernelTable.Level, _ index: Int) {
    let context = Setup(level, threads: 1).context
    let x = Tensor(poisoned(values(7 * 5, 1), at: 17, Self.poisons[index]), [7, 5], on: context)
    let w = Tensor(values(5 * 3, 2), [5, 3], on: context)
    let y = LinearOperator.forward(x, weight: w, bias: nil).floats
    for (i, value) in y.enumerated() { #expect(value.isFinite == (i / 3 != 3)) }
    let dw = Tensor([5, 3], on: context)
    LinearOperator.weightGradient(
      x, Tensor(values(21, 3), [7, 3], on: context), into: dw, accumulate: false)
    for (i, value) in dw.floats.enumerated() { #expect(value.isFinite == (i / 3 != 2)) }
  }

  @Test(arguments: Setup.levels, poisons.indices)
  func norms(_ level: KernelTable.Level, _ index: Int) {
    let context = Setup(level, threads: 1).context
    let x = Tensor(
      poisoned(values(2 * 4 * 6, 1), at: 9, Self.poisons[index]), [2, 2, 2, 6], on: context)
    let (gamma, beta) = (
      Tensor(values(6, 2), [6], on: context), Tensor(values(6, 3), [6], on: context)
    )
    for swish in [false, true] {
      let y = GroupNormOperator.forward(
        x, gamma: gamma, beta: beta, groups: 2, epsilon: 1e-6, swish: swish
      ).y.floats
      // Element 9 is channel 3 of image 0: the second group of that image.
      for (i, value) in y.enumerated() { #expect(value.isFinite == !(i < 24 && i % 6 >= 3)) }
    }
    let z = LayerNormOperator.forward(x, epsilon: 1e-6).y.floats
    for (i, value) in z.enumerated() { #expect(value.isFinite == (i / 6 != 1)) }
  }

  @Test(arguments: Setup.levels, poisons.indices)
  func attention(_ level: KernelTable.Level, _ index: Int) {
    let context = Setup(level, threads: 1).context
    let poison = Self.poisons[index]
    for window in [2, 3, 4] {
      let c = PlainAttention(
        images: 1, height: window, width: 2 * window, heads: 1, headDim: 4, window: window)
      // Negative keys, positive queries: an infinite query makes every score -infinity.
      let clean = values(c.qkvCount, 1).enumerated().map {
        $0.offset % 12 < 4 ? abs($0.element) : $0.offset % 12 < 8 ? -abs($0.element) : $0.element
      }
      let (shift, table) = (values(12, 2, scale: 0), values(c.tableCount, 3))
      let attention = WindowAttentionOperator(heads: 1, window: window)
      let dout = Tensor(values(c.outputCount, 4), [1, window, 2 * window, 4], on: context)
      for part in 0..<3 {  // of token 1, which is in the first window
        let qkv = poisoned(clean, at: 12 + 4 * part, poison)
        let operands = c.tensors(qkv, shift, table, on: context)
        let out = attention.forward(operands.qkv, shift: operands.shift, table: operands.table)
        // A score of -infinity beside others is a probability of 0: only backward sees that key.
        if part != 1 || poison != -.infinity {
          #expect(out.floats[4..<8].contains { !$0.isFinite }, "window \(window), part \(part)")
        }
        // The other window never sees it.
        #expect(out.floats[4 * window..<8 * window].allSatisfy { $0.isFinite })
        let (dqkv, dshift, _) = attention.gradient(
          dout, qkv: operands.qkv, shift: operands.shift, table: operands.table)
        #expect(dqkv.floats.contains { !$0.isFinite }, "window \(window), part \(part)")
        #expect(dshift.floats.contains { !$0.isFinite }, "window \(window), part \(part)")
      }
    }
  }
}
