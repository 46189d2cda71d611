/// How long one piece of work took, over several tries, in seconds.
package struct TimingSummary: Codable, Equatable, Sendable {
  package let min: Double
  package let median: Double
  package let max: Double

  /// - Parameter times: at least one.
  package init(of times: [Double]) {
    precondition(!times.isEmpty, "TimingSummary: no times")
    let sorted = times.sorted()
    (min, median, max) = (sorted[0], sorted[sorted.count / 2], sorted[sorted.count - 1])
  }
}
