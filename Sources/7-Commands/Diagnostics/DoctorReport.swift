import Benchmarking
import CommandSupport

/// What `diffit doctor` found, on every rank.
package struct DoctorReport: Codable, Sendable, Equatable {
  package enum State: String, Codable, Sendable {
    case ok
    /// Works, but slower or less safely than it could.
    case warning
    /// Will not work.
    case wrong
  }

  /// One line: a topic, what was found, and where it is not as it should be, how to mend it.
  package struct Finding: Codable, Sendable, Equatable {
    package let topic: String
    package let state: State
    package let found: String
    package let mend: String?

    package static func ok(_ topic: String, _ found: String) -> Finding {
      Finding(topic: topic, state: .ok, found: found, mend: nil)
    }

    package static func warning(_ topic: String, _ found: String, mend: String) -> Finding {
      Finding(topic: topic, state: .warning, found: found, mend: mend)
    }

    package static func wrong(_ topic: String, _ found: String, mend: String) -> Finding {
      Finding(topic: topic, state: .wrong, found: found, mend: mend)
    }
  }

  package struct Rank: Codable, Sendable, Equatable {
    package let rank: Int
    package let host: String
    /// What differs most often between ranks: cores, threads, kernels.
    package let summary: String
    package let findings: [Finding]

    package init(rank: Int, host: String, summary: String, findings: [Finding]) {
      (self.rank, self.host, self.summary, self.findings) = (rank, host, summary, findings)
    }

    package var complaints: [Finding] { findings.filter { $0.state != .ok } }
  }

  package let ranks: [Rank]
  /// What all ranks together show; nil where there is one.
  package let job: Job?

  package init(ranks: [Rank], job: Job? = nil) { (self.ranks, self.job) = (ranks, job) }

  private var findings: [Finding] { ranks.flatMap(\.findings) + (job?.findings ?? []) }

  /// Whether nothing was found that will not work; warnings pass.
  package var passed: Bool { !findings.contains { $0.state == .wrong } }

  /// For the terminal: rank 0 in full; of the others one line, and what rank 0 did not complain of; then
  /// the job.
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
    let pad = { (text: String, width: Int) in
      text + String(repeating: " ", count: max(1, width - text.count))
    }
    let head = pad(finding.state.rawValue, 9) + pad(finding.topic, 12) + finding.found
    return [head] + (finding.mend.map { [pad("", 9) + pad("", 12) + "mend: " + $0] } ?? [])
  }
}
