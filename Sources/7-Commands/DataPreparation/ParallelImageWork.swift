import Datasets
import Synchronization
import TensorCore

/// Work on single images, spread over threads. A thread that is free takes the next image, because
/// sizes differ. What is done to an image must not depend on the thread.
struct ParallelImageWork {
  private struct Findings {
    var broken: [BrokenImage] = []
    var failure: (any Error)?
  }

  let images: any ImageCollection
  let threads: ThreadPool

  /// Does `body` for each of `indices`.
  ///
  /// - Parameter progress: called on the calling thread with the number of images done.
  /// - Returns: the images that `body` could not decode, in order.
  /// - Throws: the first other error; nothing new is begun after it.
  func run(
    _ indices: [Int], progress: (Int) -> Void, on body: (Int) throws -> Void
  ) throws -> [BrokenImage] {
    let next = Atomic<Int>(0)
    let done = Atomic<Int>(0)
    let findings = Mutex(Findings())
    threads.run { part in
      while true {
        let turn = next.add(1, ordering: .relaxed).oldValue
        guard turn < indices.count, findings.withLock({ $0.failure == nil }) else { return }
        do {
          try body(indices[turn])
        } catch {
          let broken = BrokenImage(error, index: indices[turn], of: images)
          findings.withLock { findings in
            if let broken {
              findings.broken.append(broken)
            } else if findings.failure == nil {
              findings.failure = error
            }
          }
        }
        let count = done.add(1, ordering: .relaxed).newValue
        // The end is reported once, below, whichever thread reaches it.
        if part == 0 && count < indices.count { progress(count) }
      }
    }
    let found = findings.withLock { $0 }
    if let failure = found.failure { throw failure }
    progress(done.load(ordering: .relaxed))
    return found.broken.sorted { $0.index < $1.index }
  }
}
