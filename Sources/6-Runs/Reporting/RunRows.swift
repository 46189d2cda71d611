import Foundation

/// The figures of one tick that a report shows, from a row of `stats.jsonl`. A figure that the row
/// does not have, or that is not finite, is NaN.
package struct RunTick: Sendable {
  /// Images seen since the run began.
  package let images: Int
  /// When the row was written; nil in rows of versions that did not say so.
  package let time: Date?
  /// Mean loss over the tick's images.
  package let loss: Double
  /// Learning rate.
  package let learningRate: Double
  /// Norm of the averaged gradient, before clipping.
  package let gradientNorm: Double
  /// Images of all ranks per second.
  package let imagesPerSecond: Double
  /// Seconds by phase: data, forward, backward, exposed_comm, hidden_comm, optimizer.
  package let seconds: [String: Double]
  /// Seconds per step of the fastest, the median and the slowest rank.
  package let rankSeconds: (min: Double, median: Double, max: Double)
  /// Peak memory of the rank that holds most, in bytes.
  package let peakMemory: Double
  /// Updates left out since the run began.
  package let skipped: Int
  /// Loss by noise level.
  package let levels: [RunNoiseLevel]

  init(images: Int, _ row: [String: Any]) {
    self.images = images
    time = (row["time"] as? String).flatMap { try? Date($0, strategy: .iso8601) }
    loss = number(row["loss"])
    learningRate = number(row["lr"])
    gradientNorm = number(row["grad_norm"])
    imagesPerSecond = number(row["images_per_second"])
    seconds = (row["seconds"] as? [String: Any] ?? [:]).mapValues(number)
    let ranks = row["rank_step_seconds"] as? [String: Any] ?? [:]
    rankSeconds = (number(ranks["min"]), number(ranks["median"]), number(ranks["max"]))
    peakMemory = number(row["peak_rss"])
    skipped = row["skipped"] as? Int ?? 0
    levels = RunNoiseLevel.all(row["loss_by_noise_level"])
  }
}

/// The loss at one noise level.
package struct RunNoiseLevel: Sendable {
  /// The level's ends as text, such as `sigma 0.1 to 0.3`.
  package let name: String
  /// Mean loss; NaN where no image had the level.
  package let loss: Double

  static func all(_ value: Any?) -> [RunNoiseLevel] {
    (value as? [[String: Any]] ?? []).map { level in
      let (low, high) = (number(level["sigma_min"]), number(level["sigma_max"]))
      func text(_ sigma: Double) -> String { String(format: "%.3g", sigma) }
      return RunNoiseLevel(
        name: high.isFinite ? "sigma \(text(low)) to \(text(high))" : "sigma from \(text(low)) on",
        loss: number(level["loss"]))
    }
  }
}

/// One measurement of metrics, from a row of `stats.jsonl`.
package struct RunMeasurement: Sendable {
  /// Images seen since the run began.
  package let images: Int
  /// Values by name; the held-out loss is `loss`.
  package let values: [String: Double]
  /// Which weights were measured, such as `ema.ema`.
  package let weights: String
  /// Samples that were drawn.
  package let samples: Int

  init(images: Int, _ values: [String: Any], _ row: [String: Any]) {
    self.images = images
    self.values = values.mapValues(number)
    weights = row["weights"] as? String ?? "weights"
    samples = row["metrics_samples"] as? Int ?? 0
  }
}

/// A number of a JSON row; NaN for anything else.
private func number(_ value: Any?) -> Double {
  (value as? NSNumber).map(\.doubleValue) ?? .nan
}
