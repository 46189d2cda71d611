/// Decides from heartbeats whether a job is stuck, and which ranks keep it from continuing.
///
/// A rank counts as stuck if it has been silent for the timeout, or if nothing has changed on it
/// for that long and it does not wait for others. In the phases in which one rank may work while
/// the others wait (start-up, saving, sampling) it takes ten times as long. The job is stuck if
/// some rank has waited in one operation for the timeout, and every other rank is stuck or has
/// waited as long.
///
/// The detector's clock counts only the time in which this process ran: after a suspended job
/// continues, its ranks have the whole timeout again.
package struct StallDetector {
  /// This rank.
  package let rank: Int
  /// The host name of each rank.
  package let hosts: [String]
  /// The ranks that hear from all ranks. The other ranks hear only from these.
  package let watchers: [Int]
  /// The timeout in seconds.
  package let timeout: Double
  /// Images per step.
  package let batch: Int
  /// How many timeouts a rank may work while others wait, if its phase allows that.
  static let patience = 10.0

  /// The last heartbeat of a rank.
  package struct Heard {
    /// The heartbeat.
    var beat: Heartbeat
    /// Seconds since the heartbeat came.
    var silence = 0.0
    /// Seconds without a change.
    var still: Double { beat.still + silence }
    var state: Activity.State { beat.state }
  }
  private(set) var heard: [Int: Heard] = [:]

  /// A detector that has heard nothing yet.
  package init(rank: Int, hosts: [String], watchers: [Int], timeout: Double, batch: Int) {
    (self.rank, self.hosts, self.watchers) = (rank, hosts, watchers)
    (self.timeout, self.batch) = (timeout, batch)
  }

  /// Seconds from one heartbeat to the next.
  package var interval: Double { min(1, timeout / 10) }

  /// For how many seconds a finding must hold before this rank acts on it: the first watcher acts
  /// at once, the second one if the first does not, all others if no watcher does.
  package var reserve: Double {
    switch watchers.firstIndex(of: rank) {
    case 0: 0
    case .some: 2
    case nil: 5 + 0.1 * Double(min(rank, 50))
    }
  }

  /// Advances the clock by `seconds`, and returns this rank's own heartbeat.
  package mutating func pass(seconds: Double, own state: Activity.State) -> Heartbeat {
    // If more time has passed, this process did not run meanwhile.
    let seconds = min(seconds, 2 * interval)
    for rank in heard.keys { heard[rank]?.silence += seconds }
    let last = heard[rank]?.beat
    let isStill = last?.state.changes == state.changes
    let beat = Heartbeat(
      rank: rank, count: (last?.count ?? 0) + 1, state: state,
      still: isStill ? (last?.still ?? 0) + seconds : 0)
    heard[rank] = Heard(beat: beat)
    return beat
  }

  /// Records the heartbeat of another rank, unless a newer one is known.
  package mutating func note(_ beat: Heartbeat) {
    guard beat.rank != rank, beat.count > heard[beat.rank]?.beat.count ?? 0 else { return }
    heard[beat.rank] = Heard(beat: beat)
  }

  /// Why the job cannot continue; nil if it may.
  package var finding: StallReport? {
    let isWatcher = watchers.contains(rank)
    // Only the watchers know what the other ranks do.
    if !isWatcher && watchers.contains(where: { !isSilent($0) }) { return nil }
    let ranks = isWatcher ? Array(hosts.indices) : (watchers + [rank]).sorted()

    let waiting = ranks.filter {
      !isSilent($0) && isStill($0) && heard[$0]?.state.isWaiting == true
    }
    guard let longest = waiting.compactMap({ heard[$0] }).max(by: { $0.still < $1.still }) else {
      return nil
    }
    // What an unheard rank may be doing can only be inferred from what the others wait for.
    let isAllKnown = isWatcher && ranks.allSatisfy { heard[$0] != nil }
    if !isAllKnown && isPatient(with: longest) { return nil }

    for (rank, known) in heard where !isSilent(rank) {
      if !isStill(rank) || !known.state.isWaiting && isPatient(with: known) { return nil }
    }
    return StallReport(of: self, among: ranks, waiting: waiting, longest: longest)
  }

  func isSilent(_ rank: Int) -> Bool { heard[rank].map { $0.silence >= timeout } ?? true }

  private func isStill(_ rank: Int) -> Bool { heard[rank].map { $0.still >= timeout } ?? true }

  private func isPatient(with known: Heard) -> Bool {
    known.state.phase.mayTakeLong && known.still < StallDetector.patience * timeout
  }
}
