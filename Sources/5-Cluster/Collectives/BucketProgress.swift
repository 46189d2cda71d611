import Foundation
import SystemSupport
import TensorCore

/// Starts the sum of a bucket; returns nil if there is nothing to send.
typealias BucketStart = (_ bucket: Int, _ run: Split) throws(CommunicationError) -> BucketSum?

/// The sums in flight, and for how long there were any.
///
/// A few at once keep a network busy. The others wait in an order that all ranks share, because
/// each sum in flight takes memory of a bucket's size, also inside the MPI library.
struct BucketsInFlight {
  /// How many sums may be in flight at once.
  static let limit = 4

  private var sums: [BucketSum] = []
  /// Buckets whose sums start next.
  private var waiting: [Int] = []
  private(set) var time = BusyTime()
  /// The error that stopped a sum, kept until it can be thrown.
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

  /// Advances all sums.
  ///
  /// - Parameter isWaiting: whether to return only when all are complete.
  mutating func advance(waiting isWaiting: Bool, with start: BucketStart, _ run: Split) {
    guard failure == nil, !sums.isEmpty else { return }
    do throws(CommunicationError) {
      repeat {
        // In two rounds, so that all sums are computed before any of them waits for its way back.
        if isWaiting { for sum in sums { _ = try sum.addUp(waiting: true, run) } }
        var left: [BucketSum] = []
        for sum in sums where try !sum.advance(waiting: isWaiting, run) { left.append(sum) }
        sums = left
        try startWaiting(start, run)
      } while isWaiting && !sums.isEmpty
      if sums.isEmpty { time.end() }
    } catch { failure = error }
  }

  /// Throws the kept error, if there is one, and forgets it.
  mutating func end() throws(CommunicationError) {
    (time, waiting) = (BusyTime(), [])
    guard let failure else { return }
    self.failure = nil
    throw failure
  }
}

/// A stopwatch that runs while something is in flight.
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

/// Lets the sums of a step advance. The training thread does so between operators, and a thread of
/// its own, if there is one, does so meanwhile.
///
/// `@unchecked Sendable`: `flight` is used under `lock`, everything else under `condition`.
final class BucketProgress: @unchecked Sendable {
  /// Microseconds between two rounds of the thread.
  private static let pause: UInt32 = 200
  /// Polls per round: each moves one or two fragments of a message.
  private static let polls = 16

  private let start: BucketStart
  /// How the training thread computes sums: on all threads of its context.
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

  /// Ends the thread, which retains this object until then.
  func stop() { signal { isStopping = true } }

  func start(bucket: Int) {
    lock.withLock { flight.start(bucket, with: start, run) }
    signal { isWanted = true }
  }

  /// Lets messages advance, unless the other thread is doing so.
  func progress() {
    guard lock.try() else { return }
    defer { lock.unlock() }
    flight.advance(waiting: false, with: start, run)
  }

  /// Returns when all sums that were started are complete, or throws the error that stopped one.
  func finish() throws(CommunicationError) {
    signal { isWanted = false }
    lock.lock()
    defer { lock.unlock() }
    flight.advance(waiting: true, with: start, run)
    try flight.end()
  }

  /// For how many seconds something was in flight since `finish` was last called.
  func busySeconds(until now: Double) -> Double {
    lock.withLock { flight.time.seconds(until: now) }
  }

  private func signal(_ change: () -> Void) {
    condition.withLock {
      change()
      condition.signal()
    }
  }

  private func work() {
    let ownThread = Split(context: nil)
    while isWantedNow() {
      lock.withLock {
        for _ in 0..<Self.polls where !flight.isEmpty {
          flight.advance(waiting: false, with: start, ownThread)
        }
      }
      usleep(Self.pause)
    }
  }

  /// Sleeps while there is nothing to do; false when the thread should end.
  private func isWantedNow() -> Bool {
    condition.withLock {
      while !isWanted && !isStopping { condition.wait() }
      return !isStopping
    }
  }
}
