import Foundation
import Synchronization
import SystemSupport

/// What a rank says: on the terminal, and in `RUN/log.txt` once the run directory is known.
///
/// The first rank says everything; the others only warnings and errors, with their number. The file,
/// written by the first rank, holds what the terminal said without progress lines; lines said before
/// it was opened are in it too.
package final class RunLog: Sendable {
  package let rank: Int
  /// Whether the progress line can be overwritten in place.
  package let isTerminal: Bool
  private let output: Int32
  private let errors: Int32

  private struct State {
    var file: Int32?
    /// Lines for a file that is not open yet; nil once it is, or where none will be.
    var waiting: [String]? = []
    var showsProgress = false
  }
  private let state: Mutex<State>

  /// - Parameters:
  ///   - output: descriptor for ordinary lines. Commands that write results to standard output give
  ///     standard error (2).
  ///   - errors: descriptor for warnings and errors.
  ///   - isTerminal: nil: what the system says about `output`. Open MPI puts a terminal of its own
  ///     between the ranks and itself, so under a launcher the answer counts only where the environment
  ///     variable `DIFFIT_TERMINAL=1`, set by the launching script, confirms it.
  package init(rank: Int = 0, output: Int32 = 1, errors: Int32 = 2, isTerminal: Bool? = nil) {
    self.rank = rank
    (self.output, self.errors) = (output, errors)
    let isConfirmed =
      ProcessRank.rank == nil || ProcessInfo.processInfo.environment["DIFFIT_TERMINAL"] == "1"
    self.isTerminal = isTerminal ?? (isatty(output) == 1 && isConfirmed)
    state = Mutex(State(waiting: rank == 0 ? [] : nil))
  }

  deinit { state.withLock { if let file = $0.file { close(file) } } }

  /// Appends to `path` from now on, beginning with what was said before. Ranks other than the first do
  /// nothing.
  package func open(_ path: String) throws(RunLogError) {
    guard rank == 0 else { return }
    let file = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw .cannotOpen(path: path, reason: RunLog.lastError) }
    state.withLock { state in
      if let old = state.file { close(old) }
      state.file = file
      for line in state.waiting ?? [] { record(line, &state) }
      state.waiting = nil
    }
  }

  /// An ordinary line, said by the first rank.
  package func info(_ text: String) {
    if rank == 0 { say(text, to: output) }
  }

  /// Something that should be looked at; said by any rank.
  package func warning(_ text: String) { say("\(speaker)warning: \(text)", to: errors) }

  /// Why the job ends; said by any rank.
  package func error(_ text: String) { say("\(speaker)error: \(text)", to: errors) }

  /// The last line of a job that the program itself tells on the terminal: into the file alone.
  func conclude(_ text: String) {
    state.withLock { state in
      clear(&state)
      if rank == 0 { record(text + "\n", &state) }
    }
  }

  /// Shows how far the work has come where it is time to: over the last such line on a terminal, as a
  /// line of its own elsewhere. Only on the first rank, never in the file.
  package func progress(
    _ line: inout ProgressLine, done: Int, detail: String = "",
    at now: Double = MonotonicClock.now
  ) {
    guard rank == 0,
      let text = line.update(done: done, at: now, onTerminal: isTerminal, detail: detail)
    else { return }
    state.withLock { state in
      RunLog.write(isTerminal ? "\r\(text)\u{1B}[K" : text + "\n", to: output)
      state.showsProgress = isTerminal
    }
  }

  /// Removes the progress line; ordinary lines do so by themselves.
  package func endProgress() { state.withLock { clear(&$0) } }

  private var speaker: String { rank == 0 ? "" : "rank \(rank): " }

  private func say(_ text: String, to descriptor: Int32) {
    state.withLock { state in
      clear(&state)
      RunLog.write(text + "\n", to: descriptor)
      record(text + "\n", &state)
    }
  }

  private func clear(_ state: inout State) {
    if state.showsProgress { RunLog.write("\r\u{1B}[K", to: output) }
    state.showsProgress = false
  }

  private func record(_ line: String, _ state: inout State) {
    guard let file = state.file else {
      state.waiting?.append(line)
      return
    }
    if RunLog.write(line, to: file) { return }
    // A full disk must not end a run by way of its log; checkpoints find out for themselves.
    RunLog.write(
      "warning: log.txt cannot be written (\(RunLog.lastError)): no more of it\n", to: errors)
    close(file)
    state.file = nil
  }

  private static var lastError: String { String(cString: strerror(errno)) }

  /// False where the descriptor takes no more; see write(2).
  @discardableResult
  private static func write(_ text: String, to descriptor: Int32) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
      var written = 0
      while written < bytes.count {
        let rest = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[written...])
        let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
        if count < 0 && errno == EINTR { continue }
        if count <= 0 { return false }
        written += count
      }
      return true
    }
  }
}

/// What can go wrong with a run's log.
package enum RunLogError: Error, Equatable, Sendable, CustomStringConvertible {
  case cannotOpen(path: String, reason: String)

  package var description: String {
    switch self {
    case .cannotOpen(let path, let reason):
      "\(path): cannot be opened for writing (\(reason)); expected a writable run directory:"
        + " choose another with --run"
    }
  }
}
