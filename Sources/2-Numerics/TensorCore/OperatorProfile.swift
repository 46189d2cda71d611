import Synchronization

/// The time, arithmetic and memory traffic of operators, summed by operator name: where a step's
/// time goes.
///
/// A context that was given a profile reports every operator to it while the profile records.
/// Without a profile, or while it does not record, operators run at full speed.
public final class OperatorProfile: Sendable {
  /// The sums over all calls under one name.
  public struct Entry: Sendable, Equatable {
    /// How many calls there were.
    public var calls = 0
    /// Wall time of all calls, in seconds.
    public var seconds = 0.0
    /// Floating-point operations; a multiply-add counts as two.
    public var flops = 0
    /// The least memory traffic possible: bytes of all operands and results, each counted once per
    /// call.
    public var bytes = 0
  }

  private let recording = Atomic<Bool>(false)
  private let sums = Mutex<[String: Entry]>([:])

  /// Creates an empty profile that does not record.
  public init() {}

  /// Whether operators report to this profile now.
  public var isRecording: Bool { recording.load(ordering: .relaxed) }

  /// Records the operators that run inside `body`.
  public func record<R>(_ body: () throws -> R) rethrows -> R {
    recording.store(true, ordering: .relaxed)
    defer { recording.store(false, ordering: .relaxed) }
    return try body()
  }

  /// The sums so far, by operator name.
  public var entries: [String: Entry] { sums.withLock { $0 } }

  /// Forgets everything that was recorded.
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
  /// Runs an operator, and reports it if a profile records.
  ///
  /// - Parameters:
  ///   - name: the operator and its widths, such as `linear 128 to 512`.
  ///   - flops: floating-point operations of this call; see `OperatorProfile.Entry`.
  ///   - bytes: bytes of its operands and results.
  ///   - body: the operator.
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
