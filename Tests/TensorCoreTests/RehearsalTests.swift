import TensorCore
import Testing

@Suite struct RehearsalTests {
  let context = ComputeContext(meta: 3)

  /// More than any machine has.
  @Test func tensorsOfAnySizeTakeNoMemory() {
    let many = (0..<1000).map { _ in Tensor(zeros: [1 << 30], on: context) }
    #expect(context.memory.liveBytes == many.count << 32)
    #expect(context.memory.peakWrittenBytes == many.count << 32)
    many[0].copy(from: many[1])
    many[0].fill(1)
    #expect(many[0].view(at: 1 << 29, [1]).floats == [0])
  }

  @Test func nothingIsRun() {
    #expect(!context.computes && context.threads.count == 3)
    context.threads.run { _ in Issue.record("a part was run") }
    context.threads.forRanges(of: 7) { _ in Issue.record("a range was run") }
    #expect(ComputeContext().computes)
  }

  /// What is written outside of operators, such as the seed of a reverse pass, is read again.
  @Test func smallTensorsHoldTheirValues() {
    let values = (0..<100).map { Tensor([Float($0)], [1], on: context) }
    #expect(values.map { $0.floats[0] } == (0..<100).map { Float($0) })
  }

  /// A block counts as far as its largest tensor reached, in whole pages, on either kind of context.
  @Test func writtenBytesAreThoseOfTheLargestTensorInABlock() {
    for context in [context, ComputeContext()] {
      func make(_ bytes: Int) { _ = Tensor([bytes / 4], on: context) }
      // All in blocks of 1.125 MiB.
      make(1_050_000)
      #expect(context.memory.peakWrittenBytes == 257 * 4096)
      make(1_150_000)
      make(1_050_000)
      #expect(context.memory.peakWrittenBytes == 281 * 4096)
      #expect(context.memory.peakBytes == 9 << 17 && context.memory.requestedBytes == 0)
      context.memory.trim()
      make(1_050_000)
      #expect(context.memory.peakWrittenBytes == 281 * 4096)
      let kept = Tensor([100], on: context)
      #expect(context.memory.requestedBytes == 400 && kept.count == 100)
    }
  }
}
