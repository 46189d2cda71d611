import Benchmarking
import Testing

@Suite struct AllReduceTimingTests {
  /// A ring of p ranks sends 2 (p - 1) / p of the buffer.
  @Test func ratesAreThoseOfARing() {
    let two = AllReduceTiming(bytes: 1_000_000_000, seconds: 1, repeats: 3, ranks: 2)
    let four = AllReduceTiming(bytes: 1_000_000_000, seconds: 1, repeats: 3, ranks: 4)
    #expect(two.gigabytesPerSecond == 1 && four.gigabytesPerSecond == 1.5)
  }
}
