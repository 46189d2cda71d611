import SystemSupport
import Testing

@Suite struct TimingSummaryTests {
  @Test func aSpreadIsOrdered() {
    let spread = TimingSummary(of: [3, 1, 2, 5, 4])
    #expect((spread.min, spread.median, spread.max) == (1, 3, 5))
  }
}
