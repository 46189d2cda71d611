import Logging

extension RunLog {
  /// A logger whose lines go the way of this log: for libraries and for code that knows swift-log alone.
  /// Traces and debugging lines are left out unless its level is lowered.
  public var logger: Logger { Logger(label: "diffit") { _ in RunLogHandler(log: self) } }
}

struct RunLogHandler: LogHandler {
  let log: RunLog
  var logLevel = Logger.Level.info
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?

  init(log: RunLog) { self.log = log }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let inherited = metadata.merging(metadataProvider?.get() ?? [:]) { $1 }
    let all = inherited.merging(event.metadata ?? [:]) { $1 }
    let facts = all.sorted { $0.key < $1.key }.map { "  \($0.key)=\($0.value)" }.joined()
    let text = "\(event.message)\(facts)"
    switch event.level {
    case .trace, .debug, .info, .notice: log.info(text)
    case .warning: log.warning(text)
    case .error, .critical: log.error(text)
    }
  }
}
