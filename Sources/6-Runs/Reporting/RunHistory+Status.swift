import Foundation
import SystemSupport

extension RunHistory {
  /// Whether the run goes on, and how it ended if it does not.
  package var status: RunStatus {
    if RunLock.isHeld(directory: directory.url) { return .running }
    switch events.last(where: { $0.kind != .warning })?.kind {
    case .done: return .done
    case .stopped: return .stopped
    case .failed: return .failed
    default: return Files.kindIfPresent(directory.stopped) == .file ? .stopped : .lost
    }
  }

  /// Seconds until the target at the rate of the last ticks; nil where that cannot be said.
  package var secondsLeft: Double? {
    let recent = ticks.suffix(10).map(\.imagesPerSecond).filter { $0.isFinite && $0 > 0 }
    guard let target, let last = ticks.last, !recent.isEmpty else { return nil }
    let rate = recent.reduce(0, +) / Double(recent.count)
    return Double(max(target - last.images, 0)) / rate
  }

  /// Seconds since the newest checkpoint was committed; nil where there is none.
  package func secondsSinceCheckpoint(now: Date = Date()) -> Double? {
    guard let newest = try? directory.checkpoints.list().last,
      let attributes = try? FileManager.default.attributesOfItem(atPath: newest.url.path),
      let date = attributes[.modificationDate] as? Date
    else { return nil }
    return max(now.timeIntervalSince(date), 0)
  }
}
