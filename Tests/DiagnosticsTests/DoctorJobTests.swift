import Benchmarking
import Collectives
import Diagnostics
import Foundation
import Testing

/// Ranks that differ are told apart; ranks that do not are left in peace.
@Suite struct DoctorJobTests {
  private typealias Identity = DoctorReport.Identity

  private func rank(
    _ host: String = "n0", version: String = "1.0", binary: String = "aa", mpi: String = "MPI 4",
    kernels: String = "avx2", threads: Int = 2, cpus: String = "0-3"
  ) -> Identity {
    Identity(
      host: host, version: version, binary: binary, mpi: mpi, kernels: kernels, threads: threads,
      cpus: cpus)
  }

  @Test func equalRanksAreFine() {
    let job = DoctorReport.Job(
      ranks: [rank(), rank("n1")],
      clocks: [
        ClockOffset(seconds: 0, uncertainty: 1e-5), ClockOffset(seconds: 0.2, uncertainty: 1e-4),
      ],
      allReduce: [
        AllReduceTiming(bytes: 8, seconds: 2e-5, repeats: 9, ranks: 2),
        AllReduceTiming(bytes: 1 << 26, seconds: 0.06, repeats: 3, ranks: 2),
      ])
    #expect(job.findings.allSatisfy { $0.state == .ok }, "\(job.findings)")
    #expect(
      job.findings.map(\.topic) == [
        "versions", "binaries", "libraries", "kernel sets", "threads", "masks", "clocks",
        "messages",
      ])
  }

  @Test func whoHasWhatIsNamed() {
    let odd = [rank(), rank(), rank(version: "1.1"), rank(), rank()]
    let finding = Doctor.versions(odd)
    #expect(finding.state == .wrong)
    #expect(finding.found == "diffit 1.0 on ranks 0, 1, 3, 4, diffit 1.1 on rank 2")
    #expect(finding.mend?.contains("one version") == true)
  }

  @Test func eachDifferenceIsFound() {
    let base = rank()
    #expect(Doctor.binaries([base, rank(binary: "bb")]).state == .warning)
    #expect(Doctor.libraries([base, rank(mpi: "MPI 5")]).state == .wrong)
    #expect(Doctor.kernelsOfRanks([base, rank(kernels: "avx512")]).found.contains("the least"))
    #expect(Doctor.threadsOfRanks([base, rank(threads: 1)]).found.contains("1 thread on rank 1"))
  }

  @Test func masksMayBeEqualOrDisjointButNotOverlapInPart() {
    let check = { (masks: [(String, String)]) in
      Doctor.masks(masks.map { rank($0.0, cpus: $0.1) })
    }
    #expect(check([("a", "0-1"), ("a", "2-3")]).found == "no core is shared")
    #expect(check([("a", "0-3"), ("a", "0-3")]).found == "equal on hosts that share cores")
    // The same CPU numbers on another host are other CPUs.
    #expect(check([("a", "0-3"), ("b", "2-5")]).state == .ok)
    let overlap = check([("a", "0"), ("b", "0-3"), ("b", "3-4")])
    #expect(overlap.state == .warning)
    #expect(overlap.found.hasPrefix("ranks 1 and 2 on b may run on CPUs 0-3 and 3-4"))
    #expect(overlap.found.contains("share 1 of them"))
  }

  @Test func clocksMayBeASecondApart() {
    let check = { (seconds: [Double]) in
      Doctor.clocks(
        seconds.map { ClockOffset(seconds: $0, uncertainty: 1e-4) },
        hosts: seconds.indices.map { "n\($0)" })
    }
    #expect(check([0, 0.9, -0.9]).state == .ok)
    let behind = check([0, 1.5, -3600, 0])
    #expect(behind.state == .warning)
    #expect(
      behind.found.hasPrefix("the clock of rank 2 on n2 is 3600 s behind the first rank's"))
    #expect(behind.found.hasSuffix("2 ranks are more than 1 s off"))
    #expect(check([0, 2]).found.contains("2.00 s ahead of"))
  }

  @Test func slowMessagesAreWarnedOf() {
    let timing = { (bytes: Int, seconds: Double) in
      AllReduceTiming(bytes: bytes, seconds: seconds, repeats: 3, ranks: 2)
    }
    #expect(Doctor.messages([]).state == .ok)
    #expect(Doctor.messages([timing(8, 2e-3), timing(1 << 26, 0.1)]).state == .warning)
    let slow = Doctor.messages([timing(8, 1e-4), timing(1 << 26, 1)])
    #expect(slow.state == .warning && slow.found.contains("below 1 Gb/s"))
    // Too small to tell the rate.
    #expect(Doctor.messages([timing(8, 1e-4), timing(512, 1e-4)]).state == .ok)
  }

  @Test func theJobIsPartOfTheReport() throws {
    let ranks = (0..<2).map {
      DoctorReport.Rank(rank: $0, host: "n0", summary: "s", findings: [.ok("cpu", "good")])
    }
    let job = DoctorReport.Job(
      ranks: [rank(), rank(version: "2.0")],
      clocks: [ClockOffset](repeating: ClockOffset(seconds: 0, uncertainty: 1e-5), count: 2),
      allReduce: [AllReduceTiming(bytes: 4096, seconds: 2.5e-5, repeats: 9, ranks: 2)])
    let report = DoctorReport(ranks: ranks, job: job)
    #expect(!report.passed && DoctorReport(ranks: ranks).passed)
    #expect(report.lines.contains { $0.hasPrefix("wrong    versions    diffit 1.0 on rank 0") })
    #expect(report.lines.contains { $0.contains("4 KiB") && $0.contains("25.0 us") })
    #expect(report.lines.last == "1 wrong, 0 to look at (warnings)")
    let copy = try JSONDecoder().decode(DoctorReport.self, from: JSONEncoder().encode(report))
    #expect(copy == report)
  }

  @Test func oneRankHasNobodyToCompareWith() throws {
    #expect(try Doctor.examine(SingleCommunicator(), threads: 1).job == nil)
  }
}
