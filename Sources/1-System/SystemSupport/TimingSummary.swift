/// The times of one piece of work over several tries, in seconds.
package struct TimingSummary: Codable, Equatable, Sendable {
  /// The shortest time.
  package let min: Double
  /// The median time; of an even number of tries, the slower one of the two in the middle.
  package let median: Double
  /// The longest time.
  package let max: Double

  /// The summary of at least one time.
  package init(of times: [Double]) {
    precondition(!times.isEmpty, "TimingSummary: no times")
    let sorted = times.sorted()
    (min, median, max) = (sorted[0], sorted[sorted.count / 2], sorted[sorted.count - 1])
  }
}
