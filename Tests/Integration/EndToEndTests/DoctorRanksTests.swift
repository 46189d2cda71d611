import Diagnostics
import Foundation
import ProcessSupport
import Testing

extension EndToEndTests {
  /// `doctor` compares the ranks of a job.
  @Suite("Doctor over ranks") struct DoctorRanksTests {
    let scene: Scene

    init() throws { scene = try Scene() }

    /// A job whose second rank is started by another command.
    private func report(_ first: [String], _ second: [String]) throws -> DoctorReport {
      let file = scene.path("doctor.json")
      let launcher = ["mpirun", "--quiet", "--oversubscribe", "--bind-to", "none", "-n", "1"]
      let outcome = try Command(
        launcher + first + ["doctor", "--json", file] + [":", "-n", "1"] + second
          + ["doctor", "--json", file]
      ).run()
      try #require(outcome.code == 0, "\(outcome.errors)")
      return try JSONDecoder().decode(DoctorReport.self, from: scene.bytes("doctor.json"))
    }

    private func state(_ report: DoctorReport, _ topic: String) -> DoctorReport.State? {
      report.job?.findings.first { $0.topic == topic }?.state
    }

    @Test func equalRanks() throws {
      let program = try Command.product("diffit")
      let report = try report([program], [program])
      let job = try #require(report.job)
      #expect(job.ranks.count == 2 && job.ranks[0] == job.ranks[1])
      #expect(job.ranks[0].binary.count == 32)
      for topic in ["versions", "binaries", "libraries", "kernel sets", "masks", "clocks"] {
        #expect(state(report, topic) == .ok, "\(topic)")
      }
      // One machine has one clock.
      #expect(job.clocks.allSatisfy { $0.seconds.magnitude <= $0.uncertainty + 1e-6 })
      #expect(job.clocks.allSatisfy { $0.uncertainty > 0 && $0.uncertainty < 1 })
      #expect(job.allReduce.first?.bytes == 8)
      #expect(job.allReduce.count >= 6 && job.allReduce.allSatisfy { $0.seconds > 0 })
      #expect(job.allReduce.map(\.bytes) == job.allReduce.map(\.bytes).sorted())
    }

    @Test func ranksThatDiffer() throws {
      let program = try Command.product("diffit")
      // The same program to the system, another file to a checksum.
      let other = scene.path("other")
      try FileManager.default.copyItem(atPath: program, toPath: other)
      let file = try FileHandle(forWritingTo: URL(fileURLWithPath: other))
      try file.seekToEnd()
      try file.write(contentsOf: Data([0]))
      try file.close()
      let report = try report([program], ["env", "DIFFIT_KERNELS=portable", other])
      #expect(state(report, "versions") == .ok)
      #expect(state(report, "binaries") == .warning)
      #expect(state(report, "kernel sets") == .warning)
    }
  }
}
