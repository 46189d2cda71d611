import Benchmarking
import Foundation
import TensorCore
import Testing

@Suite struct BenchmarkTests {
  private let profile = OperatorProfile()
  private var context: ComputeContext { ComputeContext(profile: profile) }

  private func sleep(microseconds: Int) {
    Thread.sleep(forTimeInterval: Double(microseconds) * 1e-6)
  }

  /// A step of two products and a copy, at known arithmetic and traffic.
  private func step(on context: ComputeContext) {
    for _ in 0..<2 {
      context.measured("product", flops: 4_000_000, bytes: 1000) { sleep(microseconds: 3000) }
    }
    context.measured("copy", flops: 0, bytes: 2_000_000) { sleep(microseconds: 1000) }
    sleep(microseconds: 2000)
  }

  @Test func operatorsAreHeldAgainstThePeakThatBindsThem() throws {
    let context = context
    let breakdown = Breakdown(by: profile) { step(on: context) }
    let peaks = MachinePeaks(float32: 2, bfloat16: 8, stream: 4)
    let roofline = Roofline(of: breakdown, under: peaks, .float32)
    #expect(roofline.operators.map(\.name) == ["product", "copy"])
    let (product, copy) = (roofline.operators[0], roofline.operators[1])

    #expect(product.calls == 2 && product.bound == .compute)
    #expect(abs(product.leastSeconds - 0.004) < 1e-9)
    #expect(product.seconds >= 0.006 && product.seconds < breakdown.seconds)
    #expect(abs(product.shareOfPeak - product.gflopsPerSecond / 2) < 1e-9)
    #expect(abs(product.shareOfStep - product.seconds / breakdown.seconds) < 1e-9)

    #expect(copy.calls == 1 && copy.bound == .memory && copy.gflopsPerSecond == 0)
    #expect(abs(copy.leastSeconds - 0.0005) < 1e-9)
    #expect(abs(copy.shareOfPeak - copy.gigabytesPerSecond / 4) < 1e-9)

    let total = roofline.total
    #expect(abs(total.leastSeconds - 0.0045) < 1e-9 && total.restSeconds >= 0.002)
    #expect(abs(total.shareOfPeak - 0.0045 / breakdown.seconds) < 1e-9)

    let half = Roofline(of: breakdown, under: peaks, .bfloat16)
    #expect(abs(half.operators[0].leastSeconds - 0.001) < 1e-9)
    #expect(half.operators[1] == copy)
  }

  @Test func shortStepsAreRepeatedAndWhatCameBeforeIsForgotten() {
    let context = context
    profile.record { context.measured("before", flops: 1, bytes: 1) {} }
    var steps = 0
    let breakdown = Breakdown(by: profile) {
      steps += 1
      context.measured("now", flops: 1, bytes: 1) { sleep(microseconds: 100) }
    }
    #expect(steps == breakdown.turns && steps > 1)
    #expect(breakdown.entries.keys.sorted() == ["now"])
    #expect(breakdown.entries["now"]?.calls == steps)
    // Outside of it nothing is recorded.
    context.measured("after", flops: 1, bytes: 1) {}
    #expect(profile.entries["after"] == nil)
  }
}
