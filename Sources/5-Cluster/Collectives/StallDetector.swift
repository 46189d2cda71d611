/// Tells from heartbeats whether a job is stuck, and who keeps it from going on.
///
/// A rank counts as stuck where it has been silent for the timeout, or where nothing has changed on it for
/// that long and it does not wait for others: ten times as long in the phases in which one rank may work
/// alone (start-up, saving, sampling). The job is stuck where some rank has waited in one operation for
/// the timeout and every other one is stuck or waits as long.
///
/// Its clock counts the time in which this process ran: after a suspended job goes on, its ranks are given
/// the whole timeout again.
package struct StallDetector {
  package let rank: Int
  package let hosts: [String]
  /// The ranks that hear from all; the others hear from these alone.
  package let watchers: [Int]
  /// Seconds.
  package let timeout: Double
  /// Images of a step.
  package let batch: Int
  /// How much longer a rank may work alone where its phase allows that.
  static let patience = 10.0

  package struct Heard {
    var beat: Heartbeat
    /// Seconds since the heartbeat came.
    var silence = 0.0
    /// Seconds without a change.
    var still: Double { beat.still + silence }
    var state: Activity.State { beat.state }
  }
  private(set) var heard: [Int: Heard] = [:]

  package init(rank: Int, hosts: [String], watchers: [Int], timeout: Double, batch: Int) {
    (self.rank, self.hosts, self.watchers) = (rank, hosts, watchers)
    (self.timeout, self.batch) = (timeout, batch)
  }

  /// Seconds from one heartbeat to the next.
  package var interval: Double { min(1, timeout / 10) }

  /// How long a finding must hold before this rank acts on it: the first watcher acts at once, the second
  /// where the first does not, all others where nobody does.
  package var reserve: Double {
    switch watchers.firstIndex(of: rank) {
    case 0: 0
    case .some: 2
    case nil: 5 + 0.1 * Double(min(rank, 50))
    }
  }

  /// This rank's own heartbeat, after `seconds` have passed.
  package mutating func pass(seconds: Double, own state: Activity.State) -> Heartbeat {
    // More than that, and this process did not run.
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

  /// Takes note of what another rank says, unless something newer is known.
  package mutating func note(_ beat: Heartbeat) {
    guard beat.rank != rank, beat.count > heard[beat.rank]?.beat.count ?? 0 else { return }
    heard[beat.rank] = Heard(beat: beat)
  }

  /// Why the job cannot go on; nil where it may.
  package var finding: StallReport? {
    let isWatcher = watchers.contains(rank)
    // What the others do only the watchers know.
    if !isWatcher && watchers.contains(where: { !isSilent($0) }) { return nil }
    let ranks = isWatcher ? Array(hosts.indices) : (watchers + [rank]).sorted()

    let waiting = ranks.filter {
      !isSilent($0) && isStill($0) && heard[$0]?.state.isWaiting == true
    }
    guard let longest = waiting.compactMap({ heard[$0] }).max(by: { $0.still < $1.still }) else {
      return nil
    }
    // Of a rank that nobody hears, only what the others wait for tells what it may be doing.
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
