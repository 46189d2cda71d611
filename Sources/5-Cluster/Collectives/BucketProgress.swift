import Foundation
import SystemSupport
import TensorCore

/// Starts the sum of a bucket; nil where there is nothing to send.
typealias BucketStart = (_ bucket: Int, _ run: Split) throws(CommunicationError) -> BucketSum?

/// The sums under way, and for how long there were some.
///
/// A few at once keep a network busy. The others wait in their order, which all ranks share: each sum under
/// way takes room of a bucket's size, also inside the MPI library.
struct BucketsInFlight {
  /// Sums under way at once.
  static let limit = 4

  private var sums: [BucketSum] = []
  /// Buckets that are to be summed next.
  private var waiting: [Int] = []
  private(set) var time = BusyTime()
  /// What stopped a sum, kept until somebody can throw it.
  private var failure: CommunicationError?

  var isEmpty: Bool { sums.isEmpty }

  mutating func start(_ bucket: Int, with start: BucketStart, _ run: Split) {
    guard failure == nil else { return }
    waiting.append(bucket)
    do throws(CommunicationError) { try startWaiting(start, run) } catch { failure = error }
  }

  private mutating func startWaiting(_ start: BucketStart, _ run: Split) throws(CommunicationError)
  {
    while sums.count < Self.limit, !waiting.isEmpty {
      if let sum = try start(waiting.removeFirst(), run) {
        sums.append(sum)
        time.begin()
      }
    }
  }

  /// - Parameter waiting: until all are complete.
  mutating func advance(waiting isWaiting: Bool, with start: BucketStart, _ run: Split) {
    guard failure == nil, !sums.isEmpty else { return }
    do throws(CommunicationError) {
      repeat {
        // In two rounds, so that no sum waits on its way back before all have been added up.
        if isWaiting { for sum in sums { _ = try sum.addUp(waiting: true, run) } }
        var left: [BucketSum] = []
        for sum in sums where try !sum.advance(waiting: isWaiting, run) { left.append(sum) }
        sums = left
        try startWaiting(start, run)
      } while isWaiting && !sums.isEmpty
      if sums.isEmpty { time.end() }
    } catch { failure = error }
  }

  /// Throws what was kept, and forgets it.
  mutating func end() throws(CommunicationError) {
    (time, waiting) = (BusyTime(), [])
    guard let failure else { return }
    self.failure = nil
    throw failure
  }
}

/// For how long something was under way.
struct BusyTime {
  private var since: Double?
  private var before = 0.0

  mutating func begin() { since = since ?? Self.now }

  mutating func end() {
    before = seconds(until: Self.now)
    since = nil
  }

  func seconds(until now: Double) -> Double { before + (since.map { max(0, now - $0) } ?? 0) }

  private static var now: Double { MonotonicClock.now }
}

/// Lets the sums of a step advance: the training thread does between operators, and where there is one, a
/// thread of its own does meanwhile.
///
/// `@unchecked Sendable`: `flight` is used under `lock`, the rest under `condition`.
final class BucketProgress: @unchecked Sendable {
  /// Microseconds between two looks of the thread.
  private static let pause: UInt32 = 200
  /// Looks in a row: each moves a fragment of a message or two.
  private static let looks = 16

  private let start: BucketStart
  /// Of the training thread.
  private let run: Split
  private let lock = NSLock()
  private var flight = BucketsInFlight()

  private let condition = NSCondition()
  private var isWanted = false
  private var isStopping = false

  init(withThread: Bool, _ run: Split, _ start: @escaping BucketStart) {
    (self.start, self.run) = (start, run)
    if withThread { Thread.detachNewThread { [self] in work() } }
  }

  /// Ends the thread, which keeps this object until then.
  func stop() { tell { isStopping = true } }

  func start(bucket: Int) {
    lock.withLock { flight.start(bucket, with: start, run) }
    tell { isWanted = true }
  }

  /// Lets messages advance, unless the thread is at it.
  func progress() {
    guard lock.try() else { return }
    defer { lock.unlock() }
    flight.advance(waiting: false, with: start, run)
  }

  /// Returns when all that were started are complete, or throws what stopped one.
  func finish() throws(CommunicationError) {
    tell { isWanted = false }
    lock.lock()
    defer { lock.unlock() }
    flight.advance(waiting: true, with: start, run)
    try flight.end()
  }

  /// Of the time since `finish` was last called, in which something was under way.
  func busySeconds(until now: Double) -> Double {
    lock.withLock { flight.time.seconds(until: now) }
  }

  private func tell(_ change: () -> Void) {
    condition.withLock {
      change()
      condition.signal()
    }
  }

  private func work() {
    let alone = Split(context: nil)
    while isWantedNow() {
      lock.withLock {
        for _ in 0..<Self.looks where !flight.isEmpty {
          flight.advance(waiting: false, with: start, alone)
        }
      }
      usleep(Self.pause)
    }
  }

  /// Sleeps while there is nothing to look at; false at the end.
  private func isWantedNow() -> Bool {
    condition.withLock {
      while !isWanted && !isStopping { condition.wait() }
      return !isStopping
    }
  }
}
