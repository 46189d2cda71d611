import Synchronization

/// Where a step's time goes: time, arithmetic and memory traffic of operators, summed by name.
///
/// An context that is given one reports every operator to it while it records; without one, or while it
/// does not record, operators run as if it were not there.
public final class OperatorProfile: Sendable {
  /// The calls of one name.
  public struct Entry: Sendable, Equatable {
    public var calls = 0
    public var seconds = 0.0
    /// Floating-point operations; a multiplication and an addition are two.
    public var flops = 0
    /// Bytes that have to be read or written at least: operands and results, once each.
    public var bytes = 0
  }

  private let recording = Atomic<Bool>(false)
  private let sums = Mutex<[String: Entry]>([:])

  public init() {}

  public var isRecording: Bool { recording.load(ordering: .relaxed) }

  /// Records the operators that run inside `body`.
  public func record<R>(_ body: () throws -> R) rethrows -> R {
    recording.store(true, ordering: .relaxed)
    defer { recording.store(false, ordering: .relaxed) }
    return try body()
  }

  public var entries: [String: Entry] { sums.withLock { $0 } }

  /// Forgets what was recorded.
  public func reset() { sums.withLock { $0 = [:] } }

  fileprivate func add(_ name: String, flops: Int, bytes: Int, seconds: Double) {
    sums.withLock { sums in
      var entry = sums[name] ?? Entry()
      entry.calls += 1
      entry.seconds += seconds
      entry.flops += flops
      entry.bytes += bytes
      sums[name] = entry
    }
  }
}

extension ComputeContext {
  /// Runs an operator, and reports it where a profile records.
  ///
  /// - Parameters:
  ///   - name: the operator and its widths, such as `linear 128 to 512`.
  ///   - flops: see `OperatorProfile.Entry`; likewise `bytes`.
  public func measured<R>(
    _ name: @autoclosure () -> String, flops: @autoclosure () -> Int, bytes: @autoclosure () -> Int,
    _ body: () -> R
  ) -> R {
    guard let profile, profile.isRecording else { return body() }
    let start = ContinuousClock.now
    let result = body()
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    profile.add(
      name(), flops: flops(), bytes: bytes(),
      seconds: Double(seconds) + Double(attoseconds) * 1e-18)
    return result
  }
}
