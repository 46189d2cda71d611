import Foundation

/// A chart's axis: which values it shows, and where.
struct ChartAxis {
  /// The least and the largest value.
  let range: ClosedRange<Double>
  /// Whether equal distances are equal ratios.
  let isLogarithmic: Bool

  /// An axis around some values.
  ///
  /// - Parameters:
  ///   - values: those that are not finite are left aside.
  ///   - allowsLogarithm: whether the axis may be logarithmic: it is where the largest value is
  ///     more than 50 times the least, and all are above 0.
  ///   - fromZero: whether 0 is on the axis.
  init(_ values: some Sequence<Double>, allowsLogarithm: Bool = false, fromZero: Bool = false) {
    let finite = values.filter(\.isFinite)
    var (low, high) = (finite.min() ?? 0, finite.max() ?? 1)
    isLogarithmic = allowsLogarithm && low > 0 && high > 50 * low
    if fromZero { low = min(low, 0) }
    if low == high { (low, high) = (low - abs(low) / 10, high + abs(high) / 10) }
    if low == high { (low, high) = (0, 1) }
    if !isLogarithmic && !fromZero {
      let margin = (high - low) / 20
      (low, high) = (low >= 0 ? max(low - margin, 0) : low - margin, high + margin)
    }
    range = low...high
  }

  /// Where a value is, from 0 to 1.
  func place(_ value: Double) -> Double {
    if isLogarithmic {
      return (log(value) - log(range.lowerBound)) / (log(range.upperBound) - log(range.lowerBound))
    }
    return (value - range.lowerBound) / (range.upperBound - range.lowerBound)
  }

  /// Round values on the axis, about `count` of them.
  func ticks(_ count: Int) -> [Double] {
    if isLogarithmic {
      let (first, last) = (log10(range.lowerBound).rounded(.up), log10(range.upperBound))
      let all = stride(from: first, through: last, by: 1).map { pow(10, $0) }
      let step = max((all.count + count - 1) / count, 1)
      return all.enumerated().filter { $0.offset % step == 0 }.map(\.element)
    }
    let span = range.upperBound - range.lowerBound
    let power = pow(10, floor(log10(span / Double(count))))
    let steps = [1.0, 2, 5, 10].map { $0 * power }
    let step = steps.first { span / $0 <= Double(count) } ?? 10 * power
    let first = (range.lowerBound / step).rounded(.up) * step
    return Array(stride(from: first, through: range.upperBound + step / 1000, by: step))
  }
}
