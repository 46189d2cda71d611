import Foundation
import Synchronization

/// A piece of work on a thread of its own, and its result.
package final class BackgroundTask<Value: Sendable>: Sendable {
  private let result = Mutex<Result<Value, any Error>?>(nil)
  private let ended = DispatchSemaphore(value: 0)

  /// Starts the work on a new thread.
  package init(_ body: @escaping @Sendable () throws -> Value) {
    Thread.detachNewThread {
      let outcome = Result { try body() }
      self.result.withLock { $0 = outcome }
      self.ended.signal()
    }
  }

  /// A result without any work.
  package init(done value: Value) {
    result.withLock { $0 = .success(value) }
    ended.signal()
  }

  /// Whether the work has ended; it never waits.
  package var isDone: Bool { result.withLock { $0 != nil } }

  /// Returns when the work has ended.
  package func wait() -> Result<Value, any Error> {
    while true {
      if let outcome = result.withLock(\.self) { return outcome }
      ended.wait()
      ended.signal()  // for whoever asks again
    }
  }
}
