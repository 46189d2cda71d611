import Foundation
import SystemSupport

/// A line chart as SVG that needs no script. Its data are in the element `data-points` as well, for
/// the script that shows values under the pointer.
struct Chart {
  /// What it shows.
  let title: String
  /// What the vertical axis counts, such as `images/s`; empty where it is a plain number.
  var unit = ""
  let series: [ChartSeries]
  var marks: [ChartMark] = []
  /// Whether 0 is on the vertical axis.
  var fromZero = false
  /// Whether the vertical axis may be logarithmic.
  var allowsLogarithm = false
  /// How a value is written on the vertical axis.
  var format: (Double) -> String = Chart.plain

  /// Points per line, at most.
  private static let limit = 400
  private static let size = (width: 560.0, height: 240.0)
  private static let inner = (left: 70.0, top: 12.0, right: 16.0, bottom: 34.0)

  /// Whether there is anything to draw.
  var isEmpty: Bool { series.allSatisfy { $0.points.allSatisfy { !$0.y.isFinite } } }

  /// The chart with title and legend, as an HTML element.
  var html: String {
    let lines = series.map { $0.thinned(to: Chart.limit) }.filter { !$0.points.isEmpty }
    let x = ChartAxis(lines.flatMap { $0.points.map(\.x) } + marks.map(\.x), fromZero: true)
    let y = ChartAxis(
      lines.flatMap { $0.points.map(\.y) }, allowsLogarithm: allowsLogarithm, fromZero: fromZero)
    let legend =
      lines.count < 2
      ? ""
      : "<ul class=\"legend\">"
        + lines.map { "<li class=\"c\($0.color % 8)\">\(HTML.escaped($0.name))</li>" }.joined()
        + "</ul>"
    let heading = unit.isEmpty ? title : "\(title), \(unit)"
    return """
      <figure class="chart"><figcaption>\(HTML.escaped(heading))</figcaption>
      <svg viewBox="0 0 \(Int(Chart.size.width)) \(Int(Chart.size.height))" role="img" \
      aria-label="\(HTML.escaped(heading))" data-points='\(HTML.escaped(data(lines)))' \
      data-frame='\(frame(x, y))'>
      \(axes(x, y))\(drawnMarks(x))\(lines.map { path($0, x, y) }.joined())</svg>
      \(legend)</figure>

      """
  }

  private func left(_ value: Double, _ axis: ChartAxis) -> Double {
    let (inner, size) = (Chart.inner, Chart.size)
    return inner.left + axis.place(value) * (size.width - inner.left - inner.right)
  }

  private func top(_ value: Double, _ axis: ChartAxis) -> Double {
    let (inner, size) = (Chart.inner, Chart.size)
    return size.height - inner.bottom
      - axis.place(value) * (size.height - inner.top - inner.bottom)
  }

  private func axes(_ x: ChartAxis, _ y: ChartAxis) -> String {
    let (inner, size) = (Chart.inner, Chart.size)
    let bottom = size.height - inner.bottom
    var parts = ""
    for value in y.ticks(5) {
      let at = HTML.number(top(value, y))
      parts +=
        "<line class=\"rule\" x1=\"\(Int(inner.left))\" x2=\"\(Int(size.width - inner.right))\""
        + " y1=\"\(at)\" y2=\"\(at)\"/>"
        + "<text class=\"y\" x=\"\(Int(inner.left) - 6)\" y=\"\(at)\">"
        + "\(HTML.escaped(format(value)))</text>"
    }
    for value in x.ticks(6) {
      parts +=
        "<text class=\"x\" x=\"\(HTML.number(left(value, x)))\" y=\"\(Int(bottom) + 24)\">"
        + "\(Format.count(Int(value)))</text>"
    }
    return parts
      + "<line class=\"axis\" x1=\"\(Int(inner.left))\" x2=\"\(Int(size.width - inner.right))\""
      + " y1=\"\(Int(bottom))\" y2=\"\(Int(bottom))\"/>"
  }

  private func drawnMarks(_ x: ChartAxis) -> String {
    let bottom = Int(Chart.size.height - Chart.inner.bottom)
    return marks.map { mark in
      let at = HTML.number(left(mark.x, x))
      let shape =
        mark.kind == .checkpoint
        ? "<path d=\"M\(at) \(bottom)l-4 6h8z\"/>"
        : "<line x1=\"\(at)\" x2=\"\(at)\" y1=\"\(Int(Chart.inner.top))\" y2=\"\(bottom)\"/>"
      return "<g class=\"mark \(mark.kind.rawValue)\"><title>\(HTML.escaped(mark.text))</title>"
        + "\(shape)</g>"
    }.joined()
  }

  private func path(_ line: ChartSeries, _ x: ChartAxis, _ y: ChartAxis) -> String {
    let points = line.points.map {
      "\(HTML.number(left($0.x, x))) \(HTML.number(top($0.y, y)))"
    }
    let style = "line c\(line.color % 8)\(line.isDashed ? " dashed" : "")"
    guard points.count > 1 else {
      let at = points[0].split(separator: " ")
      return "<circle class=\"\(style)\" cx=\"\(at[0])\" cy=\"\(at[1])\" r=\"3\"/>"
    }
    return "<path class=\"\(style)\" d=\"M\(points.joined(separator: "L"))\"/>"
  }

  /// Names and points, for the script.
  private func data(_ lines: [ChartSeries]) -> String {
    let all = lines.map { line in
      let points = line.points.map { "[\(Int($0.x)),\(String(format: "%.5g", $0.y))]" }
      return
        "{\"name\":\(JSONText.quoted(line.name)),\"points\":[\(points.joined(separator: ","))]}"
    }
    return "[\(all.joined(separator: ","))]"
  }

  /// Where the axes begin and end, for the script: pixels and values of x.
  private func frame(_ x: ChartAxis, _ y: ChartAxis) -> String {
    let (inner, size) = (Chart.inner, Chart.size)
    let numbers = [
      inner.left, size.width - inner.right, x.range.lowerBound, x.range.upperBound, inner.top,
      size.height - inner.bottom,
    ]
    return "[\(numbers.map { String(format: "%.6g", $0) }.joined(separator: ","))]"
  }

  /// Up to four significant digits.
  static func plain(_ value: Double) -> String { String(format: "%.4g", value) }
}

/// Text and numbers in HTML.
enum HTML {
  /// Text without characters that mean something in HTML.
  static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
      .replacing("\"", with: "&quot;").replacing("'", with: "&#39;")
  }

  /// A coordinate with one decimal.
  static func number(_ value: Double) -> String { String(format: "%.1f", value) }
}
