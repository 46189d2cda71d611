import CommandSupport
import Foundation

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
    lines.append(row("metric", repeats > 1 ? ["mean", "min", "max"] : ["value"]))
    for name in names {
      guard let range = spread[name] else { continue }
      let values = repeats > 1 ? [range.mean, range.min, range.max] : [range.mean]
      lines.append(row(name, values.map(Self.number)))
    }
    if let loss { lines += levels(of: loss) }
    lines += warnings.map { "warning: \($0)" }
    return lines.joined(separator: "\n")
  }

  private var drawn: String {
    guard samples > 0 else { return "no images drawn" }
    let count = "\(repeats > 1 ? "\(repeats) x " : "")\(Format.quantity(samples, "image"))"
    return seeds.map { "\(count), seeds \($0)" } ?? count
  }

  private func row(_ name: String, _ cells: [String]) -> String {
    name.padding(toLength: 12, withPad: " ", startingAt: 0)
      + cells.map { String(repeating: " ", count: max(12 - $0.count, 1)) + $0 }.joined()
  }

  /// Six significant digits.
  package static func number(_ value: Double) -> String { String(format: "%.6g", value) }

  private func levels(of loss: HeldOutLoss) -> [String] {
    ["", "loss by noise level, \(Format.quantity(loss.images, "held-out image"))"]
      + loss.byNoiseLevel.map { level in
        let end = level.sigmaMax.isFinite ? "to \(level.sigmaMax)" : "on"
        return row(
          "\(level.sigmaMin) \(end)",
          [
            level.images > 0 ? Self.number(level.loss) : "-",
            Format.quantity(level.images, "image"),
          ])
      }
  }
}
