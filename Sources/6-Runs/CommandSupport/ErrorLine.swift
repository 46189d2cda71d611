import Foundation
import SystemSupport

/// The one line on standard error that says why a command failed.
package enum ErrorLine {
  /// Writes the line and returns when whoever reads standard error has taken it.
  ///
  /// A launcher ends a job as soon as one rank has failed, and does not read again what that job's
  /// pipes still hold: a rank tells first, then lets the others go.
  ///
  /// - Parameter rank: who speaks; the first rank does not name itself.
  package static func write(_ text: String, of rank: Int? = ProcessRank.rank) {
    let line = text.split(whereSeparator: \.isNewline)
      .map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: " ")
    StandardStreams.writeError(speaker(rank) + line.visible() + "\n")
    drain()
  }

  /// What the line of a rank begins with.
  package static func speaker(_ rank: Int? = ProcessRank.rank) -> String {
    rank.map { $0 > 0 ? "diffit: rank \($0): " : "diffit: " } ?? "diffit: "
  }

  /// Waits until the pipe behind standard error is empty, at most for one second; see `FIONREAD` in
  /// ioctl(2).
  package static func drain() {
    for _ in 0..<500 {
      var unread: CInt = 0
      guard ioctl(STDERR_FILENO, UInt(FIONREAD), &unread) == 0, unread > 0 else { return }
      usleep(2_000)
    }
  }

  /// For ranks that leave the telling to the first one without being able to wait for it: MPI has
  /// not started. The launcher ends them when the first rank has ended.
  package static func leaveItToTheFirstRank() {
    if !ProcessRank.isFirst { sleep(3) }
  }
}
