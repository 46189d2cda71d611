import SystemSupport

/// How far a piece of work has come, in one line with its rate and the time left.
///
/// Times are seconds of any steady clock. The rate is taken over the last half minute, so that it
/// follows a machine that slows down.
package struct ProgressLine: Sendable {
  /// Seconds between updates on a terminal, and between lines elsewhere.
  package static let terminalInterval = 0.2
  /// Seconds between lines elsewhere.
  package static let plainInterval = 30.0
  /// Seconds over which the rate is taken.
  package static let window = 30.0

  private let title: String
  private let total: Int
  private let unit: String
  private var marks: [(time: Double, done: Int)]
  private var shownAt: Double

  /// - Parameters:
  ///   - total: what is to be done, in `unit`.
  ///   - done: what was done before the clock started, such as images seen before a resume.
  package init(
    _ title: String, of total: Int, from done: Int = 0, unit: String = "images",
    startedAt now: Double
  ) {
    (self.title, self.total, self.unit) = (title, total, unit)
    marks = [(now, done)]
    shownAt = now
  }

  /// Notes the progress; the line's text where it is time to show it, which it always is at the
  /// end.
  ///
  /// - Parameter columns: the most characters that the text may have. A line that is wrapped could
  ///   not be overwritten: the detail goes first, then the time left and the rate.
  package mutating func update(
    done: Int, at now: Double, onTerminal: Bool, detail: String = "", columns: Int = .max
  ) -> String? {
    // The oldest mark is at least a window away where there is one that far back.
    marks.append((now, done))
    while marks.count > 2 && now - marks[1].time >= ProgressLine.window { marks.removeFirst() }
    let interval = onTerminal ? ProgressLine.terminalInterval : ProgressLine.plainInterval
    guard done >= total || now - shownAt >= interval else {
      thin()
      return nil
    }
    shownAt = now
    let text = text(done: done, at: now, detail: detail, columns: columns)
    thin()
    return text
  }

  private func text(done: Int, at now: Double, detail: String, columns: Int) -> String {
    let first = marks[0]
    let rate = now > first.time ? Double(done - first.done) / (now - first.time) : 0
    let share = total > 0 ? min(100 * Double(done) / Double(total), 100) : 100
    var parts = [
      "\(title)  \(Format.count(done)) / \(Format.count(total)) \(unit) (\(tenth(share)) %)"
    ]
    parts.append("\(Format.rate(rate))")
    if done < total {
      parts.append(rate > 0 ? "\(Format.duration(Double(total - done) / rate)) left" : "")
    }
    parts.append(detail)
    var text = ""
    for part in parts where !part.isEmpty {
      let longer = text.isEmpty ? part : "\(text)  \(part)"
      guard longer.count <= columns else { break }
      text = longer
    }
    return text.isEmpty ? String(parts[0].prefix(columns)) : text
  }

  private func tenth(_ value: Double) -> String { "\((value * 10).rounded(.down) / 10)" }

  /// Steps of a millisecond must not fill the memory: marks closer than a half second are one.
  private mutating func thin() {
    if marks.count > 2 && marks[marks.count - 1].time - marks[marks.count - 2].time < 0.5
      && marks[marks.count - 2].time - marks[marks.count - 3].time < 0.5
    {
      marks.remove(at: marks.count - 2)
    }
  }
}
