import CommandSupport
import Foundation
import SystemSupport

extension EvaluationReport {
  /// The report for people.
  ///
  /// - Parameter names: of the numbers, in the order they were asked for.
  package func text(_ names: [String]) -> String {
    var lines = ["", "images      \(source): \(drawn)"]
    if let drawing { lines.append("drawn       \(drawing.summary)") }
    if let reference {
      lines.append(
        "reference   \(reference)"
          + (referenceImages.map { ", \(Format.quantity($0, "image"))" } ?? ""))
    }
    for network in features {
      lines.append(
        "features    \(network.name) (\(network.digest)), protocol \(network.protocol)")
    }
    lines.append("")
    let columns = repeats > 1 ? ["mean", "min", "max"] : ["value"]
    var table = TextTable(
      [.left("metric", width: 12)] + columns.map { TextTable.Column.right($0, width: 10) })
    for name in names {
      guard let range = spread[name] else { continue }
      let values = repeats > 1 ? [range.mean, range.min, range.max] : [range.mean]
      table.add([name] + values.map(Self.number))
    }
    lines += table.lines
    if let loss { lines += levels(of: loss) }
    lines += warnings.map { "warning: \($0)" }
    return lines.joined(separator: "\n")
  }

  private var drawn: String {
    guard samples > 0 else { return "no images drawn" }
    let count = "\(repeats > 1 ? "\(repeats) x " : "")\(Format.quantity(samples, "image"))"
    return seeds.map { "\(count), seeds \($0)" } ?? count
  }

  /// Six significant digits.
  package static func number(_ value: Double) -> String { String(format: "%.6g", value) }

  private func levels(of loss: HeldOutLoss) -> [String] {
    var table = TextTable([.left(width: 12), .right(width: 10), .right(width: 10)])
    for level in loss.byNoiseLevel {
      let end = level.sigmaMax.isFinite ? "to \(level.sigmaMax)" : "on"
      table.add([
        "\(level.sigmaMin) \(end)", level.images > 0 ? Self.number(level.loss) : "-",
        Format.quantity(level.images, "image"),
      ])
    }
    return ["", "loss by noise level, \(Format.quantity(loss.images, "held-out image"))"]
      + table.lines
  }
}
