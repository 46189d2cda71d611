import Foundation
import Synchronization
import SystemSupport

/// Where the lines of a run go: two descriptors of the terminal, and `log.txt` once it is open.
///
/// Each line is written whole and in one piece, from whatever thread.
final class LogSink: Sendable {
  private let output: Int32
  private let errors: Int32

  private struct State {
    var file: Int32?
    /// Lines for a file that is not open yet; nil once it is, or where none will be.
    var waiting: [String]?
    var showsProgress = false
  }
  private let state: Mutex<State>

  /// - Parameters:
  ///   - output: descriptor of ordinary lines and the progress line.
  ///   - errors: descriptor of warnings and errors.
  ///   - keepsLines: whether lines wait for a file.
  init(output: Int32, errors: Int32, keepsLines: Bool) {
    (self.output, self.errors) = (output, errors)
    state = Mutex(State(waiting: keepsLines ? [] : nil))
  }

  deinit { state.withLock { if let file = $0.file { close(file) } } }

  /// Appends to `path` from now on, beginning with the lines that wait.
  func open(_ path: String) throws(RunLogError) {
    let file = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    guard file >= 0 else {
      throw .cannotOpen(path: path, reason: String(cString: strerror(errno)))
    }
    state.withLock { state in
      if let old = state.file { close(old) }
      state.file = file
      for line in state.waiting ?? [] { record(line, &state) }
      state.waiting = nil
    }
  }

  /// Writes a line to the terminal, and one to the file.
  ///
  /// - Parameters:
  ///   - text: the terminal's line; nil: none.
  ///   - line: the file's line.
  func say(_ text: String?, isError: Bool, line: String) {
    state.withLock { state in
      clear(&state)
      if let text { Self.write(text + "\n", to: isError ? errors : output) }
      record(line + "\n", &state)
    }
  }

  /// Shows a progress line: over the last one where it can be overwritten, else as a line of its
  /// own.
  func show(progress text: String, overwrites: Bool) {
    state.withLock { state in
      Self.write(overwrites ? "\r\(text)\u{1B}[K" : text + "\n", to: output)
      state.showsProgress = overwrites
    }
  }

  /// Removes the progress line.
  func clearProgress() { state.withLock { clear(&$0) } }

  private func clear(_ state: inout State) {
    if state.showsProgress { Self.write("\r\u{1B}[K", to: output) }
    state.showsProgress = false
  }

  private func record(_ line: String, _ state: inout State) {
    guard let file = state.file else {
      state.waiting?.append(line)
      return
    }
    let code = Self.write(line, to: file)
    if code == 0 { return }
    // A full disk must not end a run by way of its log; checkpoints find out for themselves.
    let reason = String(cString: strerror(code))
    Self.write(
      "warning: log.txt cannot be written (\(reason)): no further lines are added to it\n",
      to: errors)
    close(file)
    state.file = nil
  }

  /// 0, or the errno of a descriptor that takes no more.
  @discardableResult
  private static func write(_ text: String, to descriptor: Int32) -> Int32 {
    var text = text
    return text.withUTF8 { FileSystem.writeAll(UnsafeRawBufferPointer($0), to: descriptor) }
  }
}
