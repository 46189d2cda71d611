import Collectives
import Foundation
import Logging
import Synchronization
import SystemSupport

/// What a rank says: on the terminal, and in `RUN/log.txt` once the run directory is known.
///
/// The first rank says everything; the others only warnings and errors, with their number. The
/// file, written by the first rank, holds what the terminal said without progress lines; lines said
/// before it was opened are in it too. Lines go through swift-log, so that they have a level and
/// metadata.
package final class RunLog: Sendable {
  /// This process's rank.
  package let rank: Int
  /// Whether the progress line can be overwritten in place.
  package let isTerminal: Bool
  /// The logger behind `info`, `warning` and `error`, for lines of other levels or with more
  /// metadata. Lines below `info` are left out, and on ranks other than the first those below
  /// `warning`.
  package let logger: Logger
  private let sink: LogSink
  private let output: Int32
  private let seen = Mutex<Int?>(nil)

  /// - Parameters:
  ///   - output: descriptor for ordinary lines. Commands that write results to standard output give
  ///     standard error (2).
  ///   - errors: descriptor for warnings and errors.
  ///   - isTerminal: nil: what the system says about `output`. Open MPI puts a terminal of its own
  ///     between the ranks and itself, so under a launcher the answer counts only where the
  ///     environment variable `DIFFIT_TERMINAL=1`, set by the launching script, confirms it.
  package init(rank: Int = 0, output: Int32 = 1, errors: Int32 = 2, isTerminal: Bool? = nil) {
    self.rank = rank
    let isConfirmed =
      ProcessRank.rank == nil || ProcessInfo.processInfo.environment["DIFFIT_TERMINAL"] == "1"
    self.isTerminal = isTerminal ?? (isatty(output) == 1 && isConfirmed)
    let sink = LogSink(output: output, errors: errors, keepsLines: rank == 0)
    (self.sink, self.output) = (sink, output)
    logger = Logger(label: "diffit") { _ in
      RunLogHandler(
        sink: sink, logLevel: rank == 0 ? .info : .warning,
        metadata: rank == 0 ? [:] : ["rank": "\(rank)"])
    }
  }

  /// Images that the run has seen, as metadata of the file's lines; nil before training begins.
  package var images: Int? {
    get { seen.withLock(\.self) }
    set { seen.withLock { $0 = newValue } }
  }

  /// Appends to `path` from now on, beginning with what was said before. Ranks other than the first
  /// do nothing.
  package func open(_ path: String) throws(RunLogError) {
    if rank == 0 { try sink.open(path) }
  }

  /// An ordinary line, said by the first rank.
  package func info(_ text: String) { logger.info("\(text)", metadata: facts) }

  /// Something that should be looked at; said by any rank.
  package func warning(_ text: String) { logger.warning("\(text)", metadata: facts) }

  /// A warning that ranks may share: the first rank says each text once, with the ranks that have it
  /// where those are not all. Collective.
  ///
  /// - Parameter text: of this rank; nil: it has nothing to warn of.
  package func sharedWarning(
    _ text: String?, over communicator: any Communicator
  ) throws(CommunicationError) {
    let texts = try communicator.gather(Array((text ?? "").utf8))
      .map { String(decoding: $0, as: UTF8.self) }
    guard rank == 0 else { return }
    for (first, text) in texts.enumerated()
    where !text.isEmpty && texts.firstIndex(of: text) == first {
      let ranks = texts.indices.filter { texts[$0] == text }
      let names = "\(ranks.count == 1 ? "rank" : "ranks") \(Format.list(ranks, limit: 8))"
      warning(ranks.count == texts.count ? text : "\(names): \(text)")
    }
  }

  /// Why the job ends; said by any rank.
  package func error(_ text: String) { logger.error("\(text)", metadata: facts) }

  /// The last line of a job, which the program itself tells on the terminal: only into the file.
  func conclude(_ text: String, level: Logger.Level) {
    guard rank == 0 else { return sink.clearProgress() }
    sink.say(
      nil, isError: false, line: LogLine.text(level, text, metadata: facts ?? [:]))
  }

  /// The line that the file would have of an error, for a rank that adds it to the file itself
  /// because the first one cannot.
  package func line(ofError text: String) -> String {
    LogLine.text(.error, text, metadata: rank == 0 ? [:] : ["rank": "\(rank)"])
  }

  /// Shows how far the work has come where it is time to: over the last such line on a terminal, as
  /// a line of its own elsewhere. Only on the first rank, never in the file.
  package func progress(
    _ line: inout ProgressLine, done: Int, detail: String = "",
    at now: Double = MonotonicClock.now
  ) {
    guard rank == 0,
      let text = line.update(
        done: done, at: now, onTerminal: isTerminal, detail: detail, columns: columns)
    else { return }
    sink.show(progress: text, overwrites: isTerminal)
  }

  /// Columns for the progress line: one less than the terminal has, because a character in the last
  /// one moves the cursor to the next line on some. Asked for anew each time, as windows change.
  private var columns: Int { isTerminal ? max((Terminal.columns(of: output) ?? 80) - 1, 1) : .max }

  /// Removes the progress line; ordinary lines do so by themselves.
  package func endProgress() { sink.clearProgress() }

  private var facts: Logger.Metadata? { images.map { ["images": "\($0)"] } }
}

/// What can go wrong with a run's log.
package enum RunLogError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The system does not let the file be opened for appending.
  case cannotOpen(path: String, reason: String)

  package var description: String {
    switch self {
    case .cannotOpen(let path, let reason):
      "\(path): cannot be opened for writing (\(reason)); expected a writable run directory:"
        + " choose another with --run"
    }
  }
}
