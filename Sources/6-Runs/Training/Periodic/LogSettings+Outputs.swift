import Configuration
import Reporting

extension LogSettings {
  /// What a run writes for people and tools that watch it.
  var outputs: RunOutputs.Options {
    RunOutputs.Options(report: report, tensorBoard: tensorBoard, openMetrics: openMetrics)
  }
}
