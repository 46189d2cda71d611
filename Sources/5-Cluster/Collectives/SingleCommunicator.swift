import Foundation
import SystemSupport
import TensorCore

/// A job of one rank, without MPI: every sum is already complete.
package final class SingleCommunicator: Communicator {
  /// 0.
  package let rank = 0
  /// 1.
  package let size = 1
  /// 0.
  package let localRank = 0
  /// 1.
  package let localSize = 1
  /// The host's name.
  package let host = Host.name
  /// A text that says that there is no MPI.
  package let library = "none (one rank)"
  /// What this process is doing.
  package let activity = Activity()

  /// The only rank.
  package init() {}

  /// Returns at once.
  package func barrier() {}

  /// Leaves the bytes as they are; `root` must be 0.
  package func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) {
    invariant(root == 0, "broadcast: from rank \(root) of 1")
  }

  /// Copies the bytes.
  package func gather(_ mine: UnsafeRawBufferPointer, into all: UnsafeMutableRawBufferPointer) {
    invariant(all.count == mine.count, "gather: \(mine.count) bytes into \(all.count) on 1 rank")
    all.copyMemory(from: mine)
  }

  /// Leaves the values as they are.
  package func reduce<Element: Reducible>(
    _ values: UnsafeMutableBufferPointer<Element>, _ reduction: Reduction
  ) {}

  /// A sum that is already complete.
  package func startSum(_ tensor: Tensor) -> any PendingMessages { NoMessages() }

  /// An exchange that is already complete.
  package func startAllToAll(_ exchange: AllToAll) -> any PendingMessages { NoMessages() }

  /// Does nothing.
  package func finalize() {}

  /// Ends the process with this exit code.
  package func abort(code: Int32) -> Never { exit(code) }
}

private final class NoMessages: PendingMessages {
  func isComplete() -> Bool { true }
  func wait() {}
}
