/// One line of a chart.
struct ChartSeries {
  /// What the legend calls it.
  let name: String
  /// Its colour: an index into the palette of the report's style sheet.
  let color: Int
  /// Whether the line is dashed, for figures that are measured seldom.
  var isDashed = false
  /// Points in the order of x; those with a y that is not finite are gaps.
  let points: [(x: Double, y: Double)]

  /// At most `limit` points, each the mean of its neighbours, so that a long run's chart stays
  /// small. The last point stays as it is.
  func thinned(to limit: Int) -> ChartSeries {
    let finite = points.filter { $0.y.isFinite }
    guard finite.count > limit, let last = finite.last else {
      return ChartSeries(name: name, color: color, isDashed: isDashed, points: finite)
    }
    var thin: [(x: Double, y: Double)] = []
    for bucket in 0..<limit - 1 {
      let range = bucket * finite.count / (limit - 1)..<(bucket + 1) * finite.count / (limit - 1)
      let part = finite[range]
      let sum = part.reduce((0.0, 0.0)) { ($0.0 + $1.x, $0.1 + $1.y) }
      thin.append((sum.0 / Double(part.count), sum.1 / Double(part.count)))
    }
    return ChartSeries(name: name, color: color, isDashed: isDashed, points: thin + [last])
  }
}

/// A place on a chart's horizontal axis that means something.
struct ChartMark {
  /// What kind of place it is; also the class of the element in the style sheet.
  enum Kind: String { case checkpoint, start, end, failure }

  let kind: Kind
  /// Images seen.
  let x: Double
  /// What a reader sees when the pointer is over the mark.
  let text: String
}
