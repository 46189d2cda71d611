/// What a run writes about itself.
package struct LogSettings: Equatable, Sendable {
  /// Images between rows of `stats.jsonl` (a tick). 0: only at the end.
  package var every = 10_000
  /// A rank whose steps take this many times the median rank's is named in the log. 0: none is.
  package var straggler = 1.5
  /// Whether `report.html` is kept up to date.
  package var report = true
  /// Whether events for TensorBoard are written.
  package var tensorBoard = true
  /// Whether `metrics.prom` is kept up to date.
  package var openMetrics = true

  package init() {}
}

extension LogSettings: SettingsSection {
  static let meaning = "What a run writes about itself."

  static let settings: [Setting<LogSettings>] = [
    Setting(
      "every", \.every, .images,
      "Images between two rows of `stats.jsonl` and lines of the log (a tick). 0: only at the end."),
    Setting(
      "straggler", \.straggler, .number, .notNegative,
      """
      A rank whose steps take more than this many times the median rank's time is named in the \
      log. It is above 1; 0: no rank is named.
      """),
    Setting(
      "report", \.report, .flag,
      "Whether `report.html`, a page of the run's course, is kept up to date."),
    Setting(
      "tensorboard", \.tensorBoard, .flag,
      "Whether numbers, grids and settings are written for TensorBoard, in `tensorboard/`."),
    Setting(
      "openmetrics", \.openMetrics, .flag,
      "Whether `metrics.prom`, figures for Prometheus, is kept up to date."),
  ]

  func validate() throws(SettingProblem) {
    try require(
      straggler == 0 || straggler > 1, \.straggler,
      expected: "a number above 1, or 0 to switch off")
  }
}
