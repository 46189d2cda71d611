import Checkpoints
import Configuration
import Foundation
import Metrics
import ModelLoading

/// `best.json`: the checkpoint with the best value of a metric so far. Retention never removes it.
struct BestCheckpoint: Codable, Equatable, Sendable {
  /// The metric's name, such as `fd_random`.
  let metric: String
  let value: Double
  /// Images of all ranks that the checkpoint has seen.
  let images: Int
  /// The checkpoint's folder name.
  let checkpoint: String

  init(metric: String, value: Double, images: Int) {
    (self.metric, self.value, self.images) = (metric, value, images)
    checkpoint = CheckpointStore.name(images: images)
  }

  /// The best checkpoint of the run in `directory`; nil where there is none, or only one by another
  /// metric.
  init?(of directory: RunDirectory, metric: String) {
    guard let bytes = FileManager.default.contents(atPath: directory.best),
      let found = try? JSONDecoder().decode(BestCheckpoint.self, from: bytes),
      found.metric == metric
    else { return nil }
    self = found
  }

  /// Whether `value` is better. A value that is not a number is never better.
  func isBeaten(by value: Double) -> Bool {
    MetricSelection.isHigherBetter(metric) ? value > self.value : value < self.value
  }
}

extension RunDirectory {
  /// Removes the checkpoints that the settings do not keep.
  func applyRetention(_ configuration: Configuration) throws {
    let settings = configuration.checkpoint
    let best = BestCheckpoint(of: self, metric: configuration.metrics.best)
    try checkpoints.applyRetention(
      keep: settings.keep, keepEvery: settings.keepEvery * settings.every,
      except: best.map { [$0.images] } ?? [])
  }
}
