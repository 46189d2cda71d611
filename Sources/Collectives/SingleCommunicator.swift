import Foundation
import TensorCore

/// A job of one rank, without MPI: every sum is already complete.
public final class SingleCommunicator: Communicator {
  public let rank = 0
  public let size = 1
  public let localRank = 0
  public let localSize = 1
  public let host = Host.name
  public let library = "none (one rank)"
  public let activity = Activity()

  public init() {}

  public func barrier() {}

  public func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) {
    invariant(root == 0, "broadcast: from rank \(root) of 1")
  }

  public func gather(_ mine: UnsafeRawBufferPointer, into all: UnsafeMutableRawBufferPointer) {
    invariant(all.count == mine.count, "gather: \(mine.count) bytes into \(all.count) on 1 rank")
    all.copyMemory(from: mine)
  }

  public func reduce<Element: Reducible>(
    _ values: UnsafeMutableBufferPointer<Element>, _ reduction: Reduction
  ) {}

  public func startSum(_ tensor: Tensor) -> any PendingMessages { NoMessages() }

  public func startExchange(_ exchange: Exchange) -> any PendingMessages { NoMessages() }

  public func finalize() {}

  public func abort(code: Int32) -> Never { exit(code) }
}

private final class NoMessages: PendingMessages {
  func isComplete() -> Bool { true }
  func wait() {}
}

enum Host {
  /// `gethostname`, which asks no name server.
  static var name: String {
    var text = [CChar](repeating: 0, count: 256)
    guard gethostname(&text, text.count - 1) == 0 else { return "unknown" }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
