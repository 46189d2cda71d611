import TensorCore

/// What a profile recorded of some body of work that was repeated.
package struct Breakdown {
  /// Seconds of one turn.
  package let seconds: Double
  /// How often the work was done.
  package let turns: Int
  /// Sums over all turns.
  package let entries: [String: OperatorProfile.Entry]

  /// Repeats short work until a second is full.
  package init(by profile: OperatorProfile, of body: () throws -> Void) rethrows {
    profile.reset()
    var (total, turns) = (0.0, 0)
    repeat {
      total += try profile.record { try Benchmark.seconds(of: body) }
      turns += 1
    } while total < 1 && turns < 20
    (seconds, self.turns, entries) = (total / Double(turns), turns, profile.entries)
  }
}

/// The calls of one operator in a step, against what the machine can do.
package struct OperatorTiming: Codable, Equatable, Sendable {
  /// What keeps the operator from being faster, at the best.
  package enum Bound: String, Codable, Sendable { case compute, memory }

  /// The operator's name, as in `OperatorProfile`.
  package let name: String
  /// Number of calls in a step. All that follows is per step too.
  package let calls: Int
  /// Seconds in a step.
  package let seconds: Double
  /// 10^9 floating-point operations per second.
  package let gflopsPerSecond: Double
  /// Operands and results, once each: what comes from a cache counts like the rest.
  package let gigabytesPerSecond: Double
  /// The limit that the operator meets first.
  package let bound: Bound
  /// Least time by the peaks.
  package let leastSeconds: Double
  /// GFLOP/s over the peak, or GB/s over the stream's: `leastSeconds` over `seconds`. Above 1 where
  /// operands come from a cache.
  package let shareOfPeak: Double
  /// `seconds` over the step's seconds.
  package let shareOfStep: Double

  enum CodingKeys: String, CodingKey {
    case name, calls, seconds, bound
    case gflopsPerSecond = "gflops_per_second"
    case gigabytesPerSecond = "gigabytes_per_second"
    case leastSeconds = "least_seconds"
    case shareOfPeak = "share_of_peak"
    case shareOfStep = "share_of_step"
  }

  init(
    _ name: String, _ entry: OperatorProfile.Entry, turns: Int, stepSeconds: Double,
    gflops: Double, stream: Double
  ) {
    let turns = Double(turns)
    self.name = name
    calls = Int((Double(entry.calls) / turns).rounded())
    seconds = entry.seconds / turns
    let (gigaflops, gigabytes) = (
      Double(entry.flops) / turns / 1e9, Double(entry.bytes) / turns / 1e9
    )
    let (computing, moving) = (gigaflops / gflops, gigabytes / stream)
    bound = computing > moving ? .compute : .memory
    leastSeconds = max(computing, moving)
    let measured = max(seconds, 1e-9)
    gflopsPerSecond = gigaflops / measured
    gigabytesPerSecond = gigabytes / measured
    shareOfPeak = leastSeconds / measured
    shareOfStep = seconds / max(stepSeconds, 1e-9)
  }
}

/// A step operator by operator, and the least time that the machine's peaks allow it.
///
/// Source: Williams, Waterman and Patterson, "Roofline: an insightful visual performance model for
/// multicore architectures", CACM 52(4), 2009: an operator takes at least its arithmetic over the
/// peak rate, and at least its memory traffic over the stream's.
package struct Roofline: Equatable, Sendable {
  /// Longest first.
  package let operators: [OperatorTiming]
  /// The step as a whole.
  package let total: Total

  /// The sums of a step.
  package struct Total: Codable, Equatable, Sendable {
    /// The step that the operators were timed in.
    package let seconds: Double
    /// What no operator accounts for.
    package let restSeconds: Double
    /// The sum of the operators' least times.
    package let leastSeconds: Double
    /// `leastSeconds` over `seconds`.
    package let shareOfPeak: Double

    enum CodingKeys: String, CodingKey {
      case seconds
      case restSeconds = "rest_seconds"
      case leastSeconds = "least_seconds"
      case shareOfPeak = "share_of_peak"
    }
  }

  /// - Parameter dtype: what the step's products multiply. Every operator's arithmetic is held
  ///   against that peak; those that compute in f32 all the same are bound by memory.
  package init(of step: Breakdown, under peaks: MachinePeaks, _ dtype: DType) {
    operators = step.entries.map { name, entry in
      OperatorTiming(
        name, entry, turns: step.turns, stepSeconds: step.seconds, gflops: peaks.gflops(dtype),
        stream: peaks.stream)
    }.sorted { ($0.seconds, $1.name) > ($1.seconds, $0.name) }
    let least = operators.reduce(0) { $0 + $1.leastSeconds }
    total = Total(
      seconds: step.seconds,
      restSeconds: step.seconds - operators.reduce(0) { $0 + $1.seconds },
      leastSeconds: least, shareOfPeak: least / max(step.seconds, 1e-9))
  }
}
