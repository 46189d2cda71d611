import Foundation
import Synchronization
import TensorCore
import Testing

@Suite struct ThreadPoolTests {
  @Test(arguments: 1...8) func everyPartRunsOnceOnItsOwnThread(threads: Int) {
    let pool = try! ThreadPool(threadCount: threads)
    let runs = Mutex<[(part: Int, thread: String)]>([])
    pool.run { part in runs.withLock { $0.append((part, thread())) } }
    let (parts, ids) = runs.withLock { ($0.map(\.part), $0.map(\.thread)) }
    #expect(pool.count == threads)
    #expect(parts.sorted() == Array(0..<threads))
    #expect(Set(ids).count == threads)
    #expect(ids[parts.firstIndex(of: 0) ?? 0] == thread(), "the caller runs part 0")
  }

  /// Writes without a lock or an atomic, so that a run that returned early would lose some.
  @Test(arguments: 1...8) func thousandsOfQuickRunsLoseNothing(threads: Int) {
    let pool = try! ThreadPool(threadCount: threads)
    let rounds = 4000
    var counts = [Int](repeating: 0, count: 16 * threads)  // parts apart from each other in memory
    var late = 0
    counts.withUnsafeMutableBufferPointer { buffer in
      let counts = UnsafeMutableBufferPointer(rebasing: buffer[...])
      for round in 1...rounds {
        pool.run { part in counts[16 * part] += 1 }
        for part in 0..<threads where counts[16 * part] != round { late += 1 }
      }
    }
    #expect(late == 0)
  }

  @Test func unevenPartsAreAllWaitedFor() {
    let pool = try! ThreadPool(threadCount: 3)
    for slow in 0..<3 {
      let done = Atomic<Int>(0)
      pool.run { part in
        if part == slow { Thread.sleep(forTimeInterval: 0.02) }
        done.add(1, ordering: .relaxed)
      }
      #expect(done.load(ordering: .relaxed) == 3)
    }
  }

  @Test(arguments: [1, 2, 3, 8], [1, 4, 6])
  func rangesAreStaticContiguousAndWhole(threads: Int, grain: Int) {
    let pool = try! ThreadPool(threadCount: threads)
    for items in [0, 1, 2, 5, 7, 8, 23, 24, 25, 100, 1001] {
      let first = ranges(of: items, grain: grain, on: pool)
      #expect(first == ranges(of: items, grain: grain, on: pool), "ranges move between runs")
      #expect(first.count <= threads)
      #expect(first.allSatisfy { !$0.isEmpty && $0.lowerBound % grain == 0 })
      #expect(first.flatMap { Array($0) } == Array(0..<items))
      // Balanced: no range is more than one grain longer than the even share.
      let share = items / threads + 2 * grain
      #expect(first.allSatisfy { $0.count <= share })
    }
  }

  /// Process and thread as the kernel numbers them: "12/task/34".
  func thread() -> String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self")) ?? "unknown"
  }

  func ranges(of items: Int, grain: Int, on pool: ThreadPool) -> [Range<Int>] {
    let found = Mutex<[Range<Int>]>([])
    pool.forRanges(of: items, grain: grain) { range in found.withLock { $0.append(range) } }
    return found.withLock { $0.sorted { $0.lowerBound < $1.lowerBound } }
  }

  @Test(arguments: [2, 8]) func threadsEndWithTheirPool(threads: Int) throws {
    let runs = Mutex<Set<String>>([])
    do {
      let pool = try! ThreadPool(threadCount: threads)
      pool.run { _ in _ = runs.withLock { $0.insert(thread()) } }
    }
    let helpers = runs.withLock { $0.subtracting([thread()]) }
    #expect(helpers.count == threads - 1)
    #expect(!helpers.contains("unknown"))
    func alive() -> Bool {
      helpers.contains { FileManager.default.fileExists(atPath: "/proc/\($0)") }
    }
    let deadline = Date(timeIntervalSinceNow: 20)
    while alive() && Date() < deadline { Thread.sleep(forTimeInterval: 0.005) }
    #expect(!alive(), "threads outlive their pool")
  }

  /// Pools that stop before, while and after their threads first wait.
  @Test func poolsComeAndGoQuickly() {
    for round in 0..<200 {
      let pool = try! ThreadPool(threadCount: 1 + round % 8)
      let sum = Atomic<Int>(0)
      for _ in 0..<(round % 3) { pool.run { sum.add($0 + 1, ordering: .relaxed) } }
      let expected = (round % 3) * pool.count * (pool.count + 1) / 2
      #expect(sum.load(ordering: .relaxed) == expected)
    }
  }

  @Test func affinityNamesAtLeastOneCore() {
    #expect(ThreadPool.availableCores >= 1)
    #expect(ThreadPool.availableCores <= ProcessInfo.processInfo.processorCount)
  }

  @Test func aPoolWithoutThreadsTraps() async {
    await #expect(processExitsWith: .failure) { _ = try! ThreadPool(threadCount: 0) }
  }
}
