import NumericsSupport
import Operators
import TensorCore
import Testing

/// Whether threads share the rows of a product or its columns does not show in the result.
@Suite struct RowProductTests {
  /// Columns in panels enough for three threads; the last panel is narrow.
  private static let (rows, k, n) = (37, 45, 509)

  private func results(
    _ weight: Weight, _ dtype: DType, on context: ComputeContext
  ) -> [String: Tensor] {
    let (rows, k, n) = (Self.rows, Self.k, Self.n)
    let x = Tensor(values(rows * k, 1), [rows, k], on: context).cast(to: dtype)
    let dy = Tensor(values(rows * n, 2), [rows, n], on: context).cast(to: dtype)
    let bias = Tensor(values(n, 3), [n], on: context)
    let more = Tensor(values(rows * k, 4), [rows, k], on: context).cast(to: dtype)
    var found: [String: Tensor] = [:]
    found["sum"] = LinearOperator.forward(x, weight: weight, bias: bias, plus: dy)
    found["f32"] = LinearOperator.forward(x, weight: weight, bias: nil, output: .float32)
    let both = LinearOperator.activated(x, weight: weight, bias: bias, keepsInput: true)
    (found["input"], found["activated"]) = (both.input, both.activated)
    found["activated alone"] =
      LinearOperator.activated(x, weight: weight, bias: bias, keepsInput: false).activated
    found["input gradient"] = LinearOperator.inputGradient(dy, weight: weight, plus: more)
    return found
  }

  @Test(arguments: [DType.float32, .bfloat16])
  func rowsAndColumnsGiveTheSameBits(_ dtype: DType) {
    for level in Setup.levels {
      let values = values(Self.k * Self.n, 5)
      var expected: [String: [Float]]?
      for threads in 1...3 {
        let context = Setup(level, threads: threads).context
        let w = Tensor(values, [Self.k, Self.n], on: context)
        for weight in [Weight(w, keptIn: PackedWeights()), Weight(w)] {
          let found = results(weight, dtype, on: context)
            .mapValues { $0.cast(to: .float32).floats }
          if let expected {
            #expect(found == expected, "\(level), \(threads) threads")
          } else {
            #expect(found.values.allSatisfy { $0.contains { $0 != 0 } })
            expected = found
          }
        }
      }
    }
  }

  /// Columns for all threads take the room of a panel a thread; otherwise the whole weight is packed.
  @Test func panelsAreMadeOneAThread() {
    for (threads, isWhole) in [(2, false), (7, true)] {
      let context = ComputeContext(meta: threads)
      let panel = Int(context.kernels.table.pointee.panel_columns)
      let (k, n) = (64, 8 * panel)
      let x = Tensor([1, k], on: context)
      let w = Tensor([k, n], on: context)
      let before = context.memory.peakWrittenBytes
      _ = LinearOperator.forward(x, weight: Weight(w), bias: nil)
      let taken = context.memory.peakWrittenBytes - before - 4 * n
      #expect((taken >= 4 * k * n) == isWhole, "\(threads) threads: \(taken) bytes")
    }
  }
}
