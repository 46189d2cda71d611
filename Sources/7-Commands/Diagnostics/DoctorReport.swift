import Benchmarking
import CommandSupport

/// What `diffit doctor` found, on every rank.
package struct DoctorReport: Codable, Sendable, Equatable {
  /// How serious a finding is.
  package enum State: String, Codable, Sendable {
    case ok
    /// Works, but slower or less safely than it could.
    case warning
    /// Will not work.
    case wrong
  }

  /// A topic, what was found, and where it is not as it should be, how to mend it.
  package struct Finding: Codable, Sendable, Equatable {
    /// One word that the line begins with.
    package let topic: String
    /// How serious it is.
    package let state: State
    /// What was found.
    package let found: String
    /// What to do about it; nil where all is as it should be.
    package let mend: String?
    /// A line for a shell that does it; nil where there is none that fits everywhere.
    package let command: String?

    /// A finding that is as it should be.
    package static func ok(_ topic: String, _ found: String) -> Finding {
      Finding(topic: topic, state: .ok, found: found, mend: nil, command: nil)
    }

    /// A finding that works, and could be better.
    package static func warning(
      _ topic: String, _ found: String, mend: String, command: String? = nil
    ) -> Finding {
      Finding(topic: topic, state: .warning, found: found, mend: mend, command: command)
    }

    /// A finding that will not work.
    package static func wrong(
      _ topic: String, _ found: String, mend: String, command: String? = nil
    ) -> Finding {
      Finding(topic: topic, state: .wrong, found: found, mend: mend, command: command)
    }
  }

  /// What was found on one rank.
  package struct Rank: Codable, Sendable, Equatable {
    /// The rank's number.
    package let rank: Int
    /// The rank's host.
    package let host: String
    /// What differs most often between ranks: cores, threads, kernels.
    package let summary: String
    /// All findings, one per topic.
    package let findings: [Finding]

    /// The findings of one rank.
    package init(rank: Int, host: String, summary: String, findings: [Finding]) {
      (self.rank, self.host, self.summary, self.findings) = (rank, host, summary, findings)
    }

    /// Findings that are not as they should be.
    package var complaints: [Finding] { findings.filter { $0.state != .ok } }
  }

  /// The ranks, in their order.
  package let ranks: [Rank]
  /// What all ranks together show; nil where there is one.
  package let job: Job?

  /// A report on some ranks.
  package init(ranks: [Rank], job: Job? = nil) { (self.ranks, self.job) = (ranks, job) }

  private var findings: [Finding] { ranks.flatMap(\.findings) + (job?.findings ?? []) }

  /// Whether nothing was found that will not work; warnings pass.
  package var passed: Bool { !findings.contains { $0.state == .wrong } }

  /// For the terminal: rank 0 in full; of the others one line, and what rank 0 did not complain of;
  /// then the job.
  package var lines: [String] {
    guard let first = ranks.first else { return [] }
    var lines = first.findings.flatMap(DoctorReport.lines)
    for rank in ranks where ranks.count > 1 {
      let verdict =
        rank.complaints.isEmpty
        ? "ok" : "see \(rank.complaints.map(\.topic).joined(separator: ", "))"
      lines.append("rank \(rank.rank) on \(rank.host): \(rank.summary): \(verdict)")
      if rank.rank == first.rank { continue }
      let new = rank.complaints.filter { !first.complaints.contains($0) }
      lines += new.flatMap(DoctorReport.lines).map { "  " + $0 }
    }
    if let job {
      lines += job.findings.flatMap(DoctorReport.lines)
      lines += AllReduceTiming.lines(job.allReduce, ranks: ranks.count)
    }
    let complaints = findings.filter { $0.state != .ok }
    let wrong = complaints.count { $0.state == .wrong }
    lines.append(
      complaints.isEmpty
        ? "all is well" : "\(wrong) wrong, \(complaints.count - wrong) to look at (warnings)")
    return lines
  }

  private static func lines(_ finding: Finding) -> [String] {
    var table = TextTable([.left(width: 7), .left(width: 10), .left()])
    table.add([finding.state.rawValue, finding.topic, finding.found])
    if let mend = finding.mend { table.add(["", "", "mend: " + mend]) }
    // A line of its own, which can be copied whole.
    return table.lines + (finding.command.map { ["  " + $0] } ?? [])
  }
}
