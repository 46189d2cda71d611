import Foundation
import Logging
import SystemSupport

/// Hands what swift-log's `Logger` is told to a rank's sink.
///
/// The terminal shows the text only, after `warning: ` or `error: ` and, on ranks other than the
/// first, the rank. The file has a line with time, level, metadata and text: `LogLine`.
struct RunLogHandler: LogHandler {
  let sink: LogSink
  var logLevel: Logger.Level
  var metadata: Logger.Metadata
  var metadataProvider: Logger.MetadataProvider?

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let metadata = self.metadata.merging(metadataProvider?.get() ?? [:]) { $1 }
      .merging(event.metadata ?? [:]) { $1 }
    // Names and metadata of files are in it: one line, and nothing that a terminal acts upon.
    let text = "\(event.message)".visible()
    let rank = metadata["rank"].map { "rank \($0): " } ?? ""
    let kind =
      switch event.level {
      case .trace, .debug, .info, .notice: ""
      case .warning: "warning: "
      case .error, .critical: "error: "
      }
    sink.say(
      rank + kind + text, isError: !kind.isEmpty,
      line: LogLine.text(event.level, text, metadata: metadata))
  }
}

/// Lines of `log.txt`: `2026-11-27T23:10:00Z info  run directory: runs/a`, time in UTC (ISO 8601).
package enum LogLine {
  /// - Parameters:
  ///   - metadata: shown before the text, sorted by key: `rank=1 images=1024`.
  ///   - seconds: when it was said, in seconds since 1970 (`time`).
  package static func text(
    _ level: Logger.Level, _ text: String, metadata: Logger.Metadata = [:],
    at seconds: Int = WallClock.seconds
  ) -> String {
    let name = level.rawValue.padding(
      toLength: max(level.rawValue.count, 5), withPad: " ", startingAt: 0)
    let facts = metadata.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    return ([WallClock.utc(seconds), name] + facts + [text.visible()]).joined(separator: " ")
  }
}
