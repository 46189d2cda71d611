import Checkpoints
import Configuration
import Foundation
import Metrics
import ModelLoading

/// `best.json`: the checkpoint with the best value of a metric so far. Retention leaves it.
struct BestCheckpoint: Codable, Equatable, Sendable {
  let metric: String
  let value: Double
  let images: Int
  let checkpoint: String

  init(metric: String, value: Double, images: Int) {
    (self.metric, self.value, self.images) = (metric, value, images)
    checkpoint = CheckpointStore.name(images: images)
  }

  /// What the run has kept; nil where there is nothing, or another metric's.
  init?(of directory: RunDirectory, metric: String) {
    guard let bytes = FileManager.default.contents(atPath: directory.best),
      let found = try? JSONDecoder().decode(BestCheckpoint.self, from: bytes),
      found.metric == metric
    else { return nil }
    self = found
  }

  /// Whether `value` is better. What is not a number is not.
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
