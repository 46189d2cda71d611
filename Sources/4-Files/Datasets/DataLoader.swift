import Foundation
import SystemSupport
import TensorCore

/// Prepares one rank's batches ahead of training, on a thread of its own.
///
/// A batch is a pure function of the seed and of the images seen. How far the thread is ahead
/// changes nothing, so resuming needs only the number of images seen.
package final class DataLoader: BatchProvider, Sendable {
  private let queue: BatchQueue

  /// Starts the thread.
  ///
  /// - Parameters:
  ///   - seed: of the order of samples and of their augmentation.
  ///   - start: images that the run has seen.
  ///   - globalBatch: images of one step over all ranks.
  ///   - share: this rank's part of each global batch; it may be empty.
  ///   - depth: batches to have ready.
  /// - Throws: where the system refuses a thread.
  package init(
    _ dataset: any TrainingDataset, seed: UInt64, start: UInt64, globalBatch: Int,
    share: Range<Int>, depth: Int = 2
  ) throws(ThreadError) {
    invariant(
      globalBatch > 0 && share.lowerBound >= 0 && share.upperBound <= globalBatch && depth > 0,
      "DataLoader: share \(share) of a batch of \(globalBatch), depth \(depth)")
    let queue = BatchQueue(depth: depth)
    self.queue = queue
    do throws(ThreadError) {
      try SystemThread.start("data loader") {
        let source = BatchSource(dataset, seed: seed)
        var seen = start
        var next: Result<Batch, any Error>
        repeat {
          let positions = seen + UInt64(share.lowerBound)..<seen + UInt64(share.upperBound)
          next = Result { () throws in try source.batch(at: positions) }
          seen += UInt64(globalBatch)
        } while queue.append(next)
      }
    } catch {
      queue.end()  // there is no thread to wait for
      throw error
    }
  }

  deinit { queue.stop() }

  /// The next batch in order; it waits until the batch is ready. After an error it throws the same
  /// error again. It must not be called after `stop`.
  package func next() throws -> Batch { try queue.next().get() }

  /// Ends the thread, and returns when it has ended. Stopping twice does no harm.
  package func stop() { queue.stop() }
}

/// What the thread and the loader share. The thread keeps it alive until it has left.
///
/// `@unchecked Sendable`: every property is read and written only while `condition` is locked.
private final class BatchQueue: @unchecked Sendable {
  private let depth: Int
  private let condition = NSCondition()
  private var ready: [Result<Batch, any Error>] = []
  private var failure: (any Error)?
  private var stopping = false
  private var ended = false

  init(depth: Int) { self.depth = depth }

  /// Waits for room and adds a batch or an error. False when the thread must end.
  func append(_ result: Result<Batch, any Error>) -> Bool {
    condition.lock()
    defer { condition.unlock() }
    while ready.count >= depth && !stopping { condition.wait() }
    var goesOn = !stopping
    if goesOn {
      ready.append(result)
      if case .failure = result { goesOn = false }
    }
    ended = !goesOn
    condition.broadcast()
    return goesOn
  }

  func next() -> Result<Batch, any Error> {
    condition.lock()
    defer { condition.unlock() }
    invariant(!stopping, "DataLoader.next: the loader was stopped")
    if let failure { return .failure(failure) }
    while ready.isEmpty { condition.wait() }
    let result = ready.removeFirst()
    if case .failure(let error) = result { failure = error }
    condition.broadcast()
    return result
  }

  /// Notes that no thread adds batches any more.
  func end() { condition.withLock { ended = true } }

  func stop() {
    condition.lock()
    defer { condition.unlock() }
    stopping = true
    condition.broadcast()
    while !ended { condition.wait() }
    ready = []
  }
}
