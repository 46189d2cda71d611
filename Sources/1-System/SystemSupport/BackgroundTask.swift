import Foundation
import Synchronization

/// A piece of work that runs on its own thread, and its result.
package final class BackgroundTask<Value: Sendable>: Sendable {
  private let result = Mutex<Result<Value, any Error>?>(nil)
  private let ended = DispatchSemaphore(value: 0)

  /// Starts a thread that runs `body`.
  package init(_ body: @escaping @Sendable () throws -> Value) {
    Thread.detachNewThread {
      let outcome = Result { try body() }
      self.result.withLock { $0 = outcome }
      self.ended.signal()
    }
  }

  /// A task that has already ended with this value.
  package init(done value: Value) {
    result.withLock { $0 = .success(value) }
    ended.signal()
  }

  /// Whether the work has ended.
  package var isDone: Bool { result.withLock { $0 != nil } }

  /// Waits until the work has ended, and returns its result. It may be called repeatedly.
  package func wait() -> Result<Value, any Error> {
    while true {
      if let outcome = result.withLock(\.self) { return outcome }
      ended.wait()
      ended.signal()  // for whoever asks again
    }
  }
}
