import Checkpoints
import CommandSupport
import Configuration
import Foundation
import Metrics
import ModelLoading
import SystemSupport

/// `best.json`: the checkpoint with the best value of a metric so far. Retention never removes it.
package struct BestCheckpoint: Codable, Equatable, Sendable {
  /// The metric's name, such as `fd_random`.
  package let metric: String
  /// The metric's value.
  package let value: Double
  /// Images of all ranks that the checkpoint has seen.
  package let images: Int
  /// The checkpoint's folder name.
  package let checkpoint: String

  /// The checkpoint of so many images, with its value.
  package init(metric: String, value: Double, images: Int) {
    (self.metric, self.value, self.images) = (metric, value, images)
    checkpoint = CheckpointStore.name(images: images)
  }

  /// Whether `value` is better. A value that is not a number is never better.
  package func isBeaten(by value: Double) -> Bool {
    MetricSelection.isHigherBetter(metric) ? value > self.value : value < self.value
  }

  /// Reads a file; nil where there is none.
  ///
  /// - Throws: `Damage` where it is not what `writeJSON` made of a value; `FileError` for what the
  ///   system refuses.
  fileprivate static func read(_ path: String) throws -> BestCheckpoint? {
    guard let bytes = try bytes(of: path) else { return nil }
    let found: BestCheckpoint
    do {
      found = try JSONDecoder().decode(BestCheckpoint.self, from: Data(bytes))
    } catch { throw Damage(reason: DecodingError.oneLine(of: error)) }
    guard (0...Manifest.largestCount).contains(found.images), found.value.isFinite,
      found.checkpoint == CheckpointStore.name(images: found.images)
    else {
      throw Damage(
        reason: "images \(found.images) and checkpoint \(found.checkpoint.prefix(40)) do not fit")
    }
    return found
  }

  private static func bytes(of path: String) throws -> [UInt8]? {
    do {
      return try JSONFile.bytes(ifPresent: path)
    } catch {
      if case .system = error { throw error }
      throw Damage(reason: "\(error)")
    }
  }

  fileprivate struct Damage: Error { let reason: String }
}

/// What counts of a measurement's row in `stats.jsonl`.
private struct Measurement: Decodable {
  let images: Int
  let metrics: [String: Double]
}

extension RunDirectory {
  /// The best checkpoint by a metric; nil where there is none, or only one by another metric. A file
  /// that is damaged is written again from the measurements in `stats.jsonl`, because without it
  /// retention would remove the best checkpoint.
  ///
  /// - Returns: the checkpoint, and a line for the log where the file was damaged.
  package func best(by metric: String) throws -> (best: BestCheckpoint?, note: String?) {
    guard !metric.isEmpty else { return (nil, nil) }
    do {
      let found = try BestCheckpoint.read(best)
      return (found?.metric == metric ? found : nil, nil)
    } catch let damage as BestCheckpoint.Damage {
      let again = try measuredBest(by: metric)
      try remove(best)
      if let again { try writeJSON(again, to: best) }
      let outcome =
        again.map { "written again from stats.jsonl: \($0.checkpoint) with \(metric) \($0.value)" }
        ?? "stats.jsonl has no \(metric) of a checkpoint that is there, so the next one counts as best"
      return (again, "\(best) was damaged (\(damage.reason)); \(outcome)")
    }
  }

  /// The best of the measured checkpoints that are there.
  private func measuredBest(by metric: String) throws -> BestCheckpoint? {
    let there = Set(try checkpoints.list().map(\.images))
    var best: BestCheckpoint?
    for row in try StatsFile.rows(stats, as: Measurement.self) where there.contains(row.images) {
      guard let value = row.metrics[metric], value.isFinite, best?.isBeaten(by: value) ?? true
      else { continue }
      best = BestCheckpoint(metric: metric, value: value, images: row.images)
    }
    return best
  }

  /// Removes the checkpoints that the settings do not keep.
  ///
  /// - Parameter lastGood: the newest whole checkpoint of up to so many images stays; nil: none
  ///   stays for this reason.
  /// - Returns: lines for the log.
  @discardableResult
  package func applyRetention(
    _ configuration: Configuration, sparing lastGood: Int?
  ) throws -> [String] {
    let settings = configuration.checkpoint
    let (best, note) = try best(by: configuration.metrics.best)
    let good = try lastGood.flatMap { try goodCheckpoint(upTo: $0) }
    try checkpoints.applyRetention(
      keep: settings.keep, keepEvery: settings.keepEvery * settings.every,
      except: [best?.images, good?.images].compactMap(\.self))
    return [note].compactMap(\.self)
  }

  /// The newest whole checkpoint of up to so many images.
  package func goodCheckpoint(upTo images: Int) throws -> CheckpointStore.Location? {
    try checkpoints.list().last {
      $0.images <= images && (try? CheckpointReader($0.url, verifying: false)) != nil
    }
  }
}
