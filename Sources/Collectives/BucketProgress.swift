import Foundation
import Synchronization
import TensorCore

/// Starts the sum of a bucket; nil where there is nothing to send.
typealias BucketStart = (_ bucket: Int, _ run: Split) throws(CommunicationError) -> BucketSum?

/// Who lets the sums of a step advance.
protocol BucketProgress: AnyObject {
  func start(bucket: Int)
  func progress()
  /// Returns when all that were started are complete, or throws what stopped one.
  func finish() throws(CommunicationError)
  /// Of the time between two moments, in which something was under way.
  func busySeconds(since: Double, until: Double) -> Double
}

/// The sums under way, and when there were some.
struct BucketsInFlight {
  private var sums: [BucketSum] = []
  private var idleSince: Double?
  /// What stopped a sum, kept until somebody can throw it.
  private(set) var failure: CommunicationError?

  var isEmpty: Bool { sums.isEmpty }

  mutating func start(_ bucket: Int, with start: BucketStart, _ run: Split) {
    guard failure == nil else { return }
    do throws(CommunicationError) {
      if let sum = try start(bucket, run) {
        sums.append(sum)
        idleSince = nil
      }
    } catch { failure = error }
  }

  /// - Parameter waiting: until all are complete.
  mutating func advance(waiting: Bool, _ run: Split) {
    guard failure == nil, !sums.isEmpty else { return }
    do throws(CommunicationError) {
      // In two rounds, so that no sum waits on its way back before all have been added up.
      if waiting { for sum in sums { _ = try sum.addUp(waiting: true, run) } }
      var left: [BucketSum] = []
      for sum in sums where try !sum.advance(waiting: waiting, run) { left.append(sum) }
      sums = left
      if left.isEmpty { idleSince = ProcessInfo.processInfo.systemUptime }
    } catch { failure = error }
  }

  /// Throws what was kept, and forgets it.
  mutating func end() throws(CommunicationError) {
    idleSince = nil
    guard let failure else { return }
    self.failure = nil
    throw failure
  }

  func busySeconds(since: Double, until: Double) -> Double {
    max(0, min(until, idleSince ?? until) - since)
  }
}

/// The training thread itself, between operators.
final class ProgressByCalls: BucketProgress {
  private let start: BucketStart
  private let run: Split
  private var flight = BucketsInFlight()

  init(_ start: @escaping BucketStart, _ run: Split) {
    (self.start, self.run) = (start, run)
  }

  func start(bucket: Int) { flight.start(bucket, with: start, run) }
  func progress() { flight.advance(waiting: false, run) }

  func finish() throws(CommunicationError) {
    flight.advance(waiting: true, run)
    try flight.end()
  }

  func busySeconds(since: Double, until: Double) -> Double {
    flight.busySeconds(since: since, until: until)
  }
}

/// A thread of its own, which looks at the messages every now and then and sleeps between.
final class ProgressThread: BucketProgress {
  private let shared: Shared

  init(_ start: @escaping BucketStart) {
    let shared = Shared(start)
    self.shared = shared
    Thread.detachNewThread { shared.work() }
  }

  deinit { shared.stop() }

  func start(bucket: Int) { shared.add(bucket) }
  func progress() {}
  func finish() throws(CommunicationError) { try shared.finish() }
  func busySeconds(since: Double, until: Double) -> Double {
    shared.busySeconds(since: since, until: until)
  }
}

/// What the thread and its owner share.
///
/// `@unchecked Sendable`: `flight` belongs to the thread while `asked` or the flight are not empty, and to
/// the owner after `finish` has seen both empty; the rest is used under `condition` alone.
private final class Shared: @unchecked Sendable {
  /// Microseconds between two looks while backward runs.
  private static let pause: UInt32 = 200

  private let start: BucketStart
  private let condition = NSCondition()
  private var asked: [Int] = []
  private var isBusy = false
  /// Whether the owner waits: then the thread does not sleep.
  private var isUrgent = false
  private var isStopping = false
  private var flight = BucketsInFlight()

  init(_ start: @escaping BucketStart) { self.start = start }

  func add(_ bucket: Int) {
    condition.withLock {
      asked.append(bucket)
      condition.broadcast()
    }
  }

  func stop() {
    condition.withLock {
      isStopping = true
      condition.broadcast()
    }
  }

  func finish() throws(CommunicationError) {
    condition.lock()
    isUrgent = true
    while isBusy || !asked.isEmpty { condition.wait() }
    isUrgent = false
    condition.unlock()
    try flight.end()
  }

  func busySeconds(since: Double, until: Double) -> Double {
    condition.withLock {
      isBusy ? until - since : flight.busySeconds(since: since, until: until)
    }
  }

  func work() {
    let alone = Split(engine: nil)
    while let (buckets, isUrgent) = next() {
      for bucket in buckets { flight.start(bucket, with: start, alone) }
      // The owner waits: so does this thread, inside the library.
      flight.advance(waiting: isUrgent, alone)
      if !flight.isEmpty && flight.failure == nil { usleep(Self.pause) }
    }
  }

  /// What was asked for since the last turn; sleeps while there is nothing to do; nil at the end.
  private func next() -> (buckets: [Int], isUrgent: Bool)? {
    condition.withLock {
      while asked.isEmpty && (flight.isEmpty || flight.failure != nil) {
        isBusy = false
        condition.broadcast()
        if isStopping { return nil }
        condition.wait()
      }
      isBusy = true
      defer { asked = [] }
      return (asked, isUrgent)
    }
  }
}
