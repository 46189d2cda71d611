/// How long one piece of work took, over several tries, in seconds.
package struct TimingSummary: Codable, Equatable, Sendable {
  /// Seconds of the fastest try.
  package let min: Double
  /// Seconds of the try in the middle; of an even number of tries the slower of the two.
  package let median: Double
  /// Seconds of the slowest try.
  package let max: Double

  /// - Parameter times: at least one.
  package init(of times: [Double]) {
    precondition(!times.isEmpty, "TimingSummary: no times")
    let sorted = times.sorted()
    (min, median, max) = (sorted[0], sorted[sorted.count / 2], sorted[sorted.count - 1])
  }
}
