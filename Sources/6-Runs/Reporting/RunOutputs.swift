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
  /// Made with the first event, so that a start that has nothing to do leaves no file.
  private var events: EventFile?
  private let start: Int
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
    (self.options, self.ranks, self.warn, start) = (options, ranks, warn, images)
    history = try RunHistory(path: path)
    (ticksDone, measurementsDone) = (history.ticks.count, history.measurements.count)
    gridsDone = Set(history.grids.map(\.path))
  }

  /// Reads what the run wrote since the last call, and brings all outputs up to date.
  ///
  /// - Parameter status: nil where the run goes on.
  package func update(status: RunStatus? = nil) {
    guard options.report || options.tensorBoard || options.openMetrics else { return }
    attempt("the run's own files") { try history.refresh() }
    if options.tensorBoard { attempt("tensorboard/") { try addEvents() } }
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

  private func addEvents() throws {
    let grids = history.grids.filter { !gridsDone.contains($0.path) }
    guard
      history.ticks.count > ticksDone || history.measurements.count > measurementsDone
        || !grids.isEmpty
    else { return }
    let events = try self.events ?? begin()
    self.events = events
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
    for grid in grids {
      gridsDone.insert(grid.path)
      try events.add(
        "samples/\(grid.kind)", png: InputFile.contents(of: grid.path), step: grid.images,
        at: Date())
    }
  }

  private func begin() throws -> EventFile {
    let events = try EventFile(in: history.directory.tensorBoard, from: start)
    let yaml = "```yaml\n" + (try history.settings()) + "```\n"
    try events.add("settings", text: yaml, step: start, at: Date())
    return events
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
