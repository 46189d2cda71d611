import SystemSupport

/// Why a job cannot continue, as one line.
package struct StallReport: Equatable {
  /// The ranks that keep the others waiting, as far as that is known.
  package let stuck: [Int]
  private let cause: String
  private let wait: String

  /// Puts together what a detector knows.
  ///
  /// - Parameters:
  ///   - detector: what was heard.
  ///   - ranks: the ranks that the detector can hear from.
  ///   - waiting: those of them that have waited for the timeout.
  ///   - longest: the one that has waited longest.
  package init(
    of detector: StallDetector, among ranks: [Int], waiting: [Int], longest: StallDetector.Heard
  ) {
    let unheard = ranks.filter { detector.heard[$0] == nil }
    let absent = ranks.filter { rank in
      guard let known = detector.heard[rank] else { return false }
      return detector.isSilent(rank) || !known.state.isWaiting
    }
    let furthest = waiting.compactMap { detector.heard[$0]?.state.collectives }.max() ?? 0
    let behind = waiting.filter { detector.heard[$0]?.state.collectives ?? 0 < furthest }

    let stuck = absent.isEmpty && unheard.isEmpty ? behind : absent
    self.stuck = stuck
    if !stuck.isEmpty {
      cause = StallReport.descriptions(of: stuck, detector)
    } else if !unheard.isEmpty {
      cause =
        "a rank is stuck, and which one is not known: no heartbeat (UDP) ever came from"
        + " \(StallReport.list(unheard))"
    } else {
      cause = "the ranks are stuck, but none is missing: suspect the network between their hosts"
    }
    let others = waiting.filter { !stuck.contains($0) }
    wait =
      "\(StallReport.list(others)) \(others.count == 1 ? "has" : "have") waited"
      + " \(Int(longest.still)) s \(StallReport.position(longest.state, detector))"
  }

  /// The line for the log.
  ///
  /// - Parameter timeout: the setting `parallel.timeout`, in seconds.
  package func line(timeout: Int) -> String {
    "\(cause); \(wait); ending the job (parallel.timeout is \(timeout))"
  }

  /// Describes the first three ranks in full, so that the line stays readable, and lists the
  /// others.
  private static func descriptions(of ranks: [Int], _ detector: StallDetector) -> String {
    let told = ranks.prefix(3).compactMap { rank in
      detector.heard[rank].map { description(of: rank, $0, detector) }
    }
    let more = ranks.count > 3 ? ["\(list(Array(ranks.dropFirst(3)))) too"] : []
    return (told + more).joined(separator: "; ")
  }

  private static func description(
    of rank: Int, _ known: StallDetector.Heard, _ detector: StallDetector
  )
    -> String
  {
    let state = known.state
    let seconds = detector.isSilent(rank) ? known.silence : known.still
    let what = detector.isSilent(rank) ? "silent" : "no progress"
    return "rank \(rank) is stuck on \(detector.hosts[rank]): \(what) for \(Int(seconds)) s,"
      + " last seen \(position(state, detector))"
  }

  /// Where in the run a rank is, such as `at step 40 (1280 images), phase backward, in "reduce"
  /// (collective 1234)`.
  private static func position(_ state: Activity.State, _ detector: StallDetector) -> String {
    let step =
      state.phase == .startUp
      ? "in" : "at step \(state.images / detector.batch) (\(state.images) images),"
    let operation = state.operation.map { ", in \"\($0)\" (collective \(state.collectives))" }
    return "\(step) phase \(state.phase.name)\(operation ?? "")"
  }

  /// A list of ranks, such as `rank 3` or `ranks 0-4, 7`.
  static func list(_ ranks: [Int]) -> String {
    return "\(ranks.count == 1 ? "rank" : "ranks") \(Format.list(ranks))"
  }
}

extension Activity.Phase {
  /// The name in log lines.
  package var name: String {
    switch self {
    case .startUp: "start-up"
    case .data, .forward, .backward, .communication, .optimizer, .saving, .sampling: "\(self)"
    }
  }
}
