import Foundation
import SystemSupport

/// What `diffit watch` shows of a run that another process trains.
package struct RunWatch {
  private static let blocks: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

  /// A line of small bars: the lowest value has the lowest bar. Values that are not finite are
  /// spaces; where there are more values than columns, each bar is a mean.
  package static func sparkline(_ values: [Double], width: Int) -> String {
    guard width > 0, !values.isEmpty else { return "" }
    let count = min(width, values.count)
    let means = (0..<count).map { column -> Double in
      let part = values[column * values.count / count..<(column + 1) * values.count / count]
      let finite = part.filter(\.isFinite)
      return finite.isEmpty ? .nan : finite.reduce(0, +) / Double(finite.count)
    }
    let finite = means.filter(\.isFinite)
    guard let low = finite.min(), let high = finite.max() else {
      return String(repeating: " ", count: count)
    }
    return String(
      means.map { value in
        guard value.isFinite else { return " " }
        return high == low
          ? blocks[0] : blocks[min(Int((value - low) / (high - low) * 8), 7)]
      })
  }

  /// The view of a terminal, one string per line, none longer than `width`.
  package static func view(_ run: RunHistory, width: Int, now: Date = Date()) -> [String] {
    let status = run.status
    let last = run.ticks.last
    var lines = ["\(run.name): \(status.rawValue)"]
    if let last {
      let target = run.target.map { " of \(Format.count($0))" } ?? ""
      let share =
        run.target.map { " (\(Int(100 * Double(last.images) / Double(max($0, 1))))%)" } ?? ""
      let left =
        status == .running ? run.secondsLeft.map { ", about \(Format.duration($0)) left" } : nil
      lines.append(
        "images     \(Format.count(last.images))\(target)\(share),"
          + " \(Format.rate(last.imagesPerSecond))\(left ?? "")")
      let losses = run.ticks.map(\.loss)
      let text = String(format: "%.4f", last.loss)
      lines.append("loss       \(sparkline(losses, width: max(width - 20, 10))) \(text)")
      lines.append(
        "gradient   \(String(format: "%.3f", last.gradientNorm)), rate"
          + " \(String(format: "%.2e", last.learningRate)), memory"
          + " \(Format.bytes(Int(last.peakMemory.isFinite ? last.peakMemory : 0)))")
      if let time = last.time, status == .running {
        lines.append("last tick  \(Format.duration(now.timeIntervalSince(time))) ago")
      }
      if last.skipped > 0 { lines.append("skipped    \(last.skipped) updates were not finite") }
    } else {
      lines.append("no tick has been written yet")
    }
    if let measured = run.measurements.last {
      let values = measured.values.sorted { $0.key < $1.key }
        .map { "\($0.key) \(Chart.plain($0.value))" }
      lines.append(
        "metrics    \(values.joined(separator: ", ")) at \(Format.count(measured.images)) images")
    }
    if let checkpoint = run.checkpoints.last {
      let age = run.secondsSinceCheckpoint(now: now).map { ", \(Format.duration($0)) ago" } ?? ""
      lines.append("checkpoint \(Format.count(checkpoint)) images\(age)")
    }
    if let ranks = run.header.first(where: { $0.hasPrefix("ranks: ") }) {
      lines.append("ranks      \(ranks.dropFirst("ranks: ".count))")
    }
    for event in run.events.suffix(6) where event.kind == .warning || event.kind == .failed {
      lines.append("\(event.kind.rawValue)    \(event.time) \(event.text)")
    }
    return lines.map { $0.count > width ? String($0.prefix(width - 1)) + "…" : $0 }
  }

  /// One line of a run's newest tick, for output that is no terminal.
  package static func line(_ run: RunHistory) -> String {
    guard let last = run.ticks.last else { return "\(run.name): no tick has been written yet" }
    let left = run.secondsLeft.map { "  about \(Format.duration($0)) left" } ?? ""
    return "\(run.name): \(last.images) images  loss \(String(format: "%.4f", last.loss))"
      + "  \(Format.rate(last.imagesPerSecond))" + (run.status == .running ? left : "")
  }
}
