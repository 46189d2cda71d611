import SystemSupport

/// Why a job cannot go on, as one line.
package struct StallReport: Equatable {
  /// Ranks that keep the others waiting, as far as that is known.
  package let stuck: [Int]
  private let cause: String
  private let wait: String

  /// - Parameters:
  ///   - ranks: those that `vigil` may have heard from.
  ///   - waiting: of these, the ones that have waited for the timeout.
  package init(
    of vigil: StallDetector, among ranks: [Int], waiting: [Int], longest: StallDetector.Heard
  ) {
    let unheard = ranks.filter { vigil.heard[$0] == nil }
    let absent = ranks.filter { rank in
      guard let known = vigil.heard[rank] else { return false }
      return vigil.isSilent(rank) || !known.state.isWaiting
    }
    let furthest = waiting.compactMap { vigil.heard[$0]?.state.collectives }.max() ?? 0
    let behind = waiting.filter { vigil.heard[$0]?.state.collectives ?? 0 < furthest }

    let stuck = absent.isEmpty && unheard.isEmpty ? behind : absent
    self.stuck = stuck
    if !stuck.isEmpty {
      cause = StallReport.portraits(of: stuck, vigil)
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
      + " \(Int(longest.still)) s \(StallReport.place(longest.state, vigil))"
  }

  /// - Parameter timeout: the setting.
  package func line(timeout: Int) -> String {
    "\(cause); \(wait); ending the job (parallel.timeout is \(timeout))"
  }

  /// The first few in full: a line has to stay one.
  private static func portraits(of ranks: [Int], _ vigil: StallDetector) -> String {
    let told = ranks.prefix(3).compactMap { rank in
      vigil.heard[rank].map { portrait(of: rank, $0, vigil) }
    }
    let more = ranks.count > 3 ? ["\(list(Array(ranks.dropFirst(3)))) too"] : []
    return (told + more).joined(separator: "; ")
  }

  private static func portrait(of rank: Int, _ known: StallDetector.Heard, _ vigil: StallDetector)
    -> String
  {
    let state = known.state
    let seconds = vigil.isSilent(rank) ? known.silence : known.still
    let what = vigil.isSilent(rank) ? "silent" : "no progress"
    return "rank \(rank) is stuck on \(vigil.hosts[rank]): \(what) for \(Int(seconds)) s,"
      + " last seen \(place(state, vigil))"
  }

  /// `at step 40 (1280 images), phase backward, in "reduce" (collective 1234)`
  private static func place(_ state: Activity.State, _ vigil: StallDetector) -> String {
    let step =
      state.phase == .startUp
      ? "in" : "at step \(state.images / vigil.batch) (\(state.images) images),"
    let operation = state.operation.map { ", in \"\($0)\" (collective \(state.collectives))" }
    return "\(step) phase \(state.phase.name)\(operation ?? "")"
  }

  /// `rank 3`, `ranks 0-4, 7`
  static func list(_ ranks: [Int]) -> String {
    return "\(ranks.count == 1 ? "rank" : "ranks") \(Format.list(ranks))"
  }
}

extension Activity.Phase {
  /// As lines for people say it.
  package var name: String {
    switch self {
    case .startUp: "start-up"
    case .data, .forward, .backward, .communication, .optimizer, .saving, .sampling: "\(self)"
    }
  }
}
