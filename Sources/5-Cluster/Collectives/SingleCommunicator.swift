import Foundation
import SystemSupport
import TensorCore

/// A job of one rank, without MPI: every sum is already complete.
package final class SingleCommunicator: Communicator {
  package let rank = 0
  package let size = 1
  package let localRank = 0
  package let localSize = 1
  package let host = Host.name
  package let library = "none (one rank)"
  package let activity = Activity()

  package init() {}

  package func barrier() {}

  package func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) {
    invariant(root == 0, "broadcast: from rank \(root) of 1")
  }

  package func gather(_ mine: UnsafeRawBufferPointer, into all: UnsafeMutableRawBufferPointer) {
    invariant(all.count == mine.count, "gather: \(mine.count) bytes into \(all.count) on 1 rank")
    all.copyMemory(from: mine)
  }

  package func reduce<Element: Reducible>(
    _ values: UnsafeMutableBufferPointer<Element>, _ reduction: Reduction
  ) {}

  package func startSum(_ tensor: Tensor) -> any PendingMessages { NoMessages() }

  package func startAllToAll(_ exchange: AllToAll) -> any PendingMessages { NoMessages() }

  package func finalize() {}

  package func abort(code: Int32) -> Never { exit(code) }
}

private final class NoMessages: PendingMessages {
  func isComplete() -> Bool { true }
  func wait() {}
}
