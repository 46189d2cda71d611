import CKernels
import Foundation
import Synchronization

/// A fixed set of threads that run the parts of one operator at a time.
///
/// Work is split statically: part `i` always covers the same range, so a result never depends on
/// timing; operators see to it that it does not depend on the number of parts either. The calling
/// thread runs part 0. One operator runs at a time; a pool belongs to one calling thread.
public final class ThreadPool: Sendable {
  /// Threads that run parts, the caller included.
  public let count: Int
  /// Nil: nothing is run.
  private let gang: Gang?

  /// A pool that runs nothing it is given.
  init(idle threadCount: Int) {
    invariant(threadCount >= 1, "ThreadPool: \(threadCount) threads")
    (count, gang) = (threadCount, nil)
  }

  public init(threadCount: Int) {
    invariant(threadCount >= 1, "ThreadPool: \(threadCount) threads")
    count = threadCount
    let gang = Gang(spins: threadCount <= ThreadPool.availableCores ? 20_000 : 0)
    self.gang = gang
    for index in stride(from: 1, to: threadCount, by: 1) {
      Thread.detachNewThread { gang.work(part: index) }
    }
  }

  deinit { gang?.stop() }

  /// Cores this process may run on (`sched_getaffinity`).
  public static var availableCores: Int { Int(dk_available_cores()) }

  /// Runs `body(part)` for each part in `0..<count`, at once, and returns when all have ended.
  public func run(_ body: (Int) -> Void) {
    guard let gang else { return }
    guard count > 1 else { return body(0) }
    withoutActuallyEscaping(body) { gang.start($0, helpers: count - 1) }
  }

  /// Splits `0..<items` into one contiguous range a thread, in multiples of `grain`, and runs `body`
  /// on each that is not empty.
  public func forRanges(of items: Int, grain: Int = 1, _ body: (Range<Int>) -> Void) {
    guard gang != nil else { return }
    let units = (items + grain - 1) / grain
    guard units > 1 && count > 1 else {
      if items > 0 { body(0..<items) }
      return
    }
    run { part in
      let begin = units * part / count * grain
      let end = min(units * (part + 1) / count * grain, items)
      if begin < end { body(begin..<end) }
    }
  }
}

/// What the workers share with the pool. It outlives the pool until the last worker has left.
///
/// Who waits looks at memory for some microseconds, as long as the next operator usually takes to come,
/// and sleeps then. Nobody is woken by the system where nobody sleeps.
///
/// `@unchecked Sendable`: `job` is written before `generation` rises and read after a worker saw it
/// rise; `pending` reaches zero before it is written again.
private final class Gang: @unchecked Sendable {
  private let generation = Atomic<Int>(0)
  private let pending = Atomic<Int>(0)
  private let stopping = Atomic<Bool>(false)
  /// Threads that sleep, or are about to: they look once more after they have said so.
  private let sleeping = Atomic<Int>(0)
  private let condition = NSCondition()
  /// Turns of waiting before a thread sleeps; 0 where threads outnumber cores, because spinning would
  /// take the core from the thread that is waited for.
  private let spins: Int
  private var job: ((Int) -> Void)?

  init(spins: Int) { self.spins = spins }

  func start(_ body: @escaping (Int) -> Void, helpers: Int) {
    job = body
    pending.store(helpers, ordering: .relaxed)
    generation.add(1, ordering: .sequentiallyConsistent)
    wake()
    body(0)
    wait { self.pending.load(ordering: .sequentiallyConsistent) == 0 }
    job = nil
  }

  func stop() {
    stopping.store(true, ordering: .relaxed)
    generation.add(1, ordering: .sequentiallyConsistent)
    wake()
  }

  func work(part: Int) {
    var seen = 0
    while true {
      wait { self.generation.load(ordering: .sequentiallyConsistent) != seen }
      seen += 1
      if stopping.load(ordering: .relaxed) { return }
      job?(part)
      if pending.subtract(1, ordering: .sequentiallyConsistent).newValue == 0 { wake() }
    }
  }

  private func wake() {
    guard sleeping.load(ordering: .sequentiallyConsistent) > 0 else { return }
    condition.lock()
    condition.broadcast()
    condition.unlock()
  }

  private func wait(until ready: () -> Bool) {
    for _ in 0..<spins {
      if ready() { return }
      dk_pause()
    }
    condition.lock()
    sleeping.add(1, ordering: .sequentiallyConsistent)
    while !ready() { condition.wait() }
    sleeping.subtract(1, ordering: .sequentiallyConsistent)
    condition.unlock()
  }
}
