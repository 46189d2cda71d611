import CKernels
import Foundation
import Synchronization
import SystemSupport

/// A fixed set of threads that run the parts of one operator at a time.
///
/// Work is split statically: part `i` always covers the same range, so results never depend on
/// timing. Operators are written so that results do not depend on the number of parts either. The
/// calling thread runs part 0. Only one operator runs at a time, and a pool belongs to one calling
/// thread.
public final class ThreadPool: Sendable {
  /// The most threads that settings, options and DIFFIT_THREADS may ask for.
  package static let largestCount = 4_096

  /// How many threads run parts, the caller included.
  public let count: Int
  /// Nil in a pool that runs nothing.
  private let workers: Workers?

  /// Creates a pool that runs nothing, for dry runs.
  init(idle threadCount: Int) {
    invariant(threadCount >= 1, "ThreadPool: \(threadCount) threads")
    (count, workers) = (threadCount, nil)
  }

  /// A pool of the calling thread only.
  public init() { (count, workers) = (1, Workers(spins: 0)) }

  /// Creates the pool and starts `threadCount` - 1 threads, which end with the pool.
  ///
  /// - Throws: an error of one line where the system refuses a thread; it names the limits.
  public init(threadCount: Int) throws {
    invariant(threadCount >= 1, "ThreadPool: \(threadCount) threads")
    count = threadCount
    let workers = Workers(spins: threadCount <= ThreadPool.availableCores ? 20_000 : 0)
    self.workers = workers
    for index in stride(from: 1, to: threadCount, by: 1) {
      do {
        try SystemThread.start("operator \(index)") { workers.work(part: index) }
      } catch {
        workers.stop()
        throw error
      }
    }
  }

  deinit { workers?.stop() }

  /// The number of logical CPUs that this process may run on (`sched_getaffinity`).
  public static var availableCores: Int { Int(dk_available_cores()) }

  /// Runs `body(part)` for each part in `0..<count` concurrently, and returns when all have ended.
  public func run(_ body: (Int) -> Void) {
    guard let workers else { return }
    guard count > 1 else { return body(0) }
    withoutActuallyEscaping(body) { workers.start($0, helpers: count - 1) }
  }

  /// Splits `0..<items` into one contiguous range per thread, cut at multiples of `grain`, and runs
  /// `body` on each range that is not empty.
  public func forRanges(of items: Int, grain: Int = 1, _ body: (Range<Int>) -> Void) {
    guard workers != nil else { return }
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

/// The state that the worker threads share with the pool. It outlives the pool until the last
/// worker has left.
///
/// A waiting thread first polls memory for some microseconds, which is how long the next operator
/// usually takes to come, and then sleeps. No system call wakes threads when none of them sleeps.
///
/// `@unchecked Sendable`: `job` is written before `generation` is raised, and read after a worker
/// saw it raised; `pending` reaches zero before it is written again.
private final class Workers: @unchecked Sendable {
  private let generation = Atomic<Int>(0)
  private let pending = Atomic<Int>(0)
  private let stopping = Atomic<Bool>(false)
  /// How many threads sleep or are about to. A thread checks once more after it has counted itself.
  private let sleeping = Atomic<Int>(0)
  private let condition = NSCondition()
  /// How often a thread polls before it sleeps; 0 if there are more threads than cores, because
  /// polling would take the core away from the thread that it waits for.
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
