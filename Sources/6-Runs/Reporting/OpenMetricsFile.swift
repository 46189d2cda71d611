import Foundation
import SystemSupport

/// A run's figures for node_exporter's textfile collector, in Prometheus's text format.
///
/// Source: the Prometheus exposition format 0.0.4, which is also OpenMetrics' but for the last line.
package enum OpenMetricsFile {
  /// The names of all figures, each with its meaning; the dashboard in `docs` uses them.
  package static let names = [
    ("diffit_images_seen", "Images of all ranks since the run began."),
    ("diffit_images_target", "Images that the run is to see."),
    ("diffit_loss", "Mean training loss over the last tick."),
    ("diffit_images_per_second", "Images of all ranks per second over the last tick."),
    ("diffit_gradient_norm", "Norm of the averaged gradient, before clipping."),
    ("diffit_learning_rate", "Learning rate of the last step."),
    ("diffit_peak_memory_bytes", "Peak memory of the rank that holds most."),
    ("diffit_skipped_updates", "Updates left out because a gradient was not finite."),
    ("diffit_checkpoint_age_seconds", "Seconds since the newest checkpoint was committed."),
    ("diffit_ranks", "Ranks that train."),
    ("diffit_stalled", "1 where the job was ended because a rank did not answer, else 0."),
    ("diffit_updated_timestamp_seconds", "When these figures were written, in Unix time."),
  ]

  /// The file's text. Figures that are not known are left out.
  ///
  /// - Parameters:
  ///   - values: by name, from `names`.
  ///   - run: the label of all figures.
  package static func text(_ values: [String: Double], run: String) -> String {
    let label = run.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
      .replacing("\n", with: "\\n")
    var text = ""
    for (name, help) in names {
      guard let value = values[name] else { continue }
      text += "# HELP \(name) \(help)\n# TYPE \(name) gauge\n"
      text += "\(name){run=\"\(label)\"} \(number(value))\n"
    }
    return text
  }

  private static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    return value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
  }

  /// Writes the file: the old one or the new one is there at any time.
  package static func write(_ values: [String: Double], run: String, to path: String) throws {
    try AtomicFile.write(Array(text(values, run: run).utf8), to: path, durable: false)
  }

  /// Sets `diffit_stalled` in a file that is there. A watchdog calls it before it ends the job, so
  /// nothing is thrown.
  package static func markStalled(_ path: String) {
    guard let bytes = try? InputFile.contents(of: path) else { return }
    let lines = String(decoding: bytes, as: UTF8.self).split(
      separator: "\n", omittingEmptySubsequences: false)
    let marked = lines.map { line in
      line.hasPrefix("diffit_stalled{") && line.hasSuffix(" 0") ? line.dropLast() + "1" : line
    }
    try? AtomicFile.write(Array(marked.joined(separator: "\n").utf8), to: path, durable: false)
  }
}
