import CKernels
import TensorCore
import Testing

@Suite struct MachinePeaksTests {
  /// The probes say what they did: a time is worth nothing without it.
  @Test(arguments: KernelTable.Level.allCases)
  func arithmeticIsCounted(level: KernelTable.Level) {
    guard KernelTable(level) != nil else { return }
    let level = dk_level(rawValue: UInt32(level.rawValue))
    for probe in [dk_probe_f32, dk_probe_bf16] {
      let one = probe(level, 1)
      #expect(one > 0 && probe(level, 3) == 3 * one && probe(level, 0) == 0)
    }
  }

  @Test func theTriadWritesItsRangeAndNothingElse() {
    let a = (0..<20).map(Float.init)
    let b = (0..<20).map { Float(100 * $0) }
    var y = [Float](repeating: -1, count: 20)
    dk_probe_triad(a, b, 0.5, 3, 17, &y)
    #expect(y == (0..<20).map { 3..<17 ~= $0 ? Float(51 * $0) : -1 })
  }

  @Test func everyPeakIsMeasured() {
    let peaks = MachinePeaks(of: try! ComputeContext(threadCount: 2), streamBytes: 1 << 20)
    for rate in [peaks.float32, peaks.bfloat16, peaks.stream] {
      #expect(rate.isFinite && rate > 0.1)
    }
    #expect(peaks.gflops(.float32) == peaks.float32 && peaks.gflops(.bfloat16) == peaks.bfloat16)
  }
}
