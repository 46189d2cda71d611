import Foundation
import SystemSupport

/// What a run writes for people and tools that watch it: `report.html`, TensorBoard's events and
/// `metrics.prom`. The first rank calls it; nothing of it can end the run.
package final class RunOutputs {
  /// Which outputs are on.
  package struct Options: Sendable {
    /// `log.report`.
    package var report: Bool
    /// `log.tensorboard`.
    package var tensorBoard: Bool
    /// `log.openmetrics`.
    package var openMetrics: Bool

    /// Which outputs are on.
    package init(report: Bool, tensorBoard: Bool, openMetrics: Bool) {
      (self.report, self.tensorBoard, self.openMetrics) = (report, tensorBoard, openMetrics)
    }
  }

  private let options: Options
  private let ranks: Int
  private let warn: (String) -> Void
  private var history: RunHistory
  private var events: EventFile?
  /// Rows and grids that the events hold already.
  private var ticksDone: Int
  private var measurementsDone: Int
  private var gridsDone: Set<String>
  /// Share of the time that outputs may take; pages of a long run wait for it.
  private static let share = 0.003
  private var nextReport = 0.0
  private var warned: Set<String> = []

  /// - Parameters:
  ///   - images: images seen when this start of the run began.
  ///   - warn: says, once per output, why it cannot be written.
  /// - Throws: where the run's own files cannot be read.
  package init(
    run path: String, from images: Int, ranks: Int, _ options: Options,
    warn: @escaping (String) -> Void
  ) throws {
    (self.options, self.ranks, self.warn) = (options, ranks, warn)
    history = try RunHistory(path: path)
    (ticksDone, measurementsDone) = (history.ticks.count, history.measurements.count)
    gridsDone = Set(history.grids.map(\.path))
    guard options.tensorBoard else { return }
    attempt("tensorboard/") {
      let file = try EventFile(in: history.directory.tensorBoard, from: images)
      let yaml = "```yaml\n" + (try history.settings()) + "```\n"
      try file.add("settings", text: yaml, step: images, at: Date())
      events = file
    }
  }

  /// Reads what the run wrote since the last call, and brings all outputs up to date.
  ///
  /// - Parameter status: nil where the run goes on.
  package func update(status: RunStatus? = nil) {
    guard options.report || options.tensorBoard || options.openMetrics else { return }
    attempt("the run's own files") { try history.refresh() }
    if let events { attempt("tensorboard/") { try add(to: events) } }
    if options.openMetrics {
      attempt("metrics.prom") {
        try OpenMetricsFile.write(
          values(isRunning: status == nil), run: history.name,
          to: history.directory.openMetrics)
      }
    }
    let begun = MonotonicClock.now
    guard options.report, status != nil || begun >= nextReport else { return }
    attempt("report.html") {
      let page = try RunReport([history]).html(status: status ?? .running)
      try AtomicFile.write(
        Array(page.utf8), to: history.directory.report, durable: false)
    }
    let taken = MonotonicClock.now - begun
    nextReport = begun + taken / Self.share
  }

  private func attempt(_ what: String, _ body: () throws -> Void) {
    do {
      try body()
    } catch {
      guard warned.insert(what).inserted else { return }
      warn("\(what) cannot be kept up to date: \(error); training goes on without it")
    }
  }

  private func add(to events: EventFile) throws {
    for tick in history.ticks.dropFirst(ticksDone) {
      try events.add(
        [
          ("train/loss", tick.loss), ("train/learning_rate", tick.learningRate),
          ("train/gradient_norm", tick.gradientNorm),
          ("train/images_per_second", tick.imagesPerSecond),
          ("train/peak_memory_gib", tick.peakMemory / Double(1 << 30)),
        ] + tick.levels.map { ("loss_by_noise_level/\(Self.tag($0.name))", $0.loss) },
        step: tick.images, at: tick.time ?? Date())
    }
    ticksDone = history.ticks.count
    for row in history.measurements.dropFirst(measurementsDone) {
      try events.add(
        row.values.sorted { $0.key < $1.key }.map { ("metrics/\($0.key)", $0.value) },
        step: row.images, at: Date())
    }
    measurementsDone = history.measurements.count
    for grid in history.grids where gridsDone.insert(grid.path).inserted {
      try events.add(
        "samples/\(grid.kind)", png: InputFile.contents(of: grid.path), step: grid.images,
        at: Date())
    }
  }

  /// A tag without spaces.
  private static func tag(_ name: String) -> String { name.replacing(" ", with: "_") }

  private func values(isRunning: Bool) -> [String: Double] {
    var values: [String: Double] = [
      "diffit_ranks": isRunning ? Double(ranks) : 0, "diffit_stalled": 0,
      "diffit_updated_timestamp_seconds": Date().timeIntervalSince1970.rounded(),
    ]
    values["diffit_images_target"] = history.target.map(Double.init)
    values["diffit_checkpoint_age_seconds"] = history.secondsSinceCheckpoint()
    guard let tick = history.ticks.last else { return values }
    values["diffit_images_seen"] = Double(tick.images)
    values["diffit_loss"] = tick.loss
    values["diffit_images_per_second"] = tick.imagesPerSecond
    values["diffit_gradient_norm"] = tick.gradientNorm
    values["diffit_learning_rate"] = tick.learningRate
    values["diffit_peak_memory_bytes"] = tick.peakMemory
    values["diffit_skipped_updates"] = Double(tick.skipped)
    return values
  }
}
