import Collectives
import Diagnostics
import Foundation
import TensorCore
import Testing

/// Each check is shown the fault it is there for, and a machine without it.
@Suite struct DoctorCheckTests {
  @Test func processors() {
    let info = "processor : 0\nmodel name\t: Test CPU 3000\nflags\t\t: fpu avx2 fma amx_tile\n"
    let good = Doctor.processor(cpuInfo: info, best: .avx2)
    #expect(good == .ok("cpu", "Test CPU 3000; avx2 fma amx_tile"))
    let old = Doctor.processor(cpuInfo: "", best: .portable)
    #expect(old.state == .warning && old.found.hasPrefix("unknown CPU; no AVX2"))
  }

  @Test func kernels() {
    let free = Doctor.kernels(best: .avx512, used: .avx512, asked: nil)
    #expect(free.state == .ok && free.found.hasPrefix("avx512 (f32: AVX-512 FMA"))
    #expect(free.found.hasSuffix("DIFFIT_KERNELS can ask for portable, avx2"))
    #expect(Doctor.kernels(best: .avx2, used: .avx2, asked: "avx2").state == .ok)
    let lowered = Doctor.kernels(best: .avx512bf16, used: .avx2, asked: "avx2")
    #expect(lowered.state == .warning && lowered.mend == "unset DIFFIT_KERNELS")
    #expect(lowered.found.contains("avx2 (") && lowered.found.contains("this CPU runs avx512bf16"))
    // A name that does not exist, and one that this CPU does not run.
    for asked in ["avx", "avx512"] {
      let unknown = Doctor.kernels(best: .avx2, used: .avx2, asked: asked)
      #expect(unknown.state == .warning && unknown.found.contains("DIFFIT_KERNELS=\(asked)"))
      #expect(unknown.mend?.hasSuffix("portable, avx2") == true)
    }
  }

  @Test(arguments: KernelTable.Level.allCases)
  func everyLevelSaysWhatItMultipliesWith(level: KernelTable.Level) {
    #expect(level.summary.hasPrefix("\(level) (") && level.summary.contains("bf16"))
  }

  @Test func cores() {
    let slow = Doctor.blas(core: "Prescott", better: "SkylakeX")
    #expect(slow.state == .warning && slow.mend?.contains("OPENBLAS_CORETYPE=SkylakeX") == true)
    #expect(Doctor.blas(core: "Zen", better: nil) == .ok("openblas", "core Zen"))
    let repaired = Doctor.blas(core: "SkylakeX", better: nil, repaired: "SkylakeX")
    #expect(repaired == .ok("openblas", "core SkylakeX, repaired at start"))
  }

  @Test func affinityMasks() {
    let check = { (cores: Int, sharers: Int, threads: Int, ranks: Int, online: Int) in
      Doctor.affinity(
        CoreShare(cores: cores, sharers: sharers), threads: threads, localSize: ranks,
        online: online)
    }
    #expect(check(4, 1, 4, 2, 8).state == .ok)
    #expect(check(8, 2, 4, 2, 8).state == .ok)
    #expect(check(1, 1, 1, 8, 8).state == .ok)
    // Bound to one core with several threads, and with others idle.
    #expect(check(1, 1, 4, 2, 8).found.contains("wait for each other"))
    #expect(check(1, 1, 1, 2, 8).mend?.contains("slot:PE=4") == true)
    #expect(check(1, 1, 4, 2, 8).mend?.contains("slot:PE=4") == true)
    // Four ranks of two threads on two cores: no binding helps.
    #expect(check(2, 4, 2, 4, 2).mend?.contains("fewer ranks") == true)
  }

  @Test func controlGroups() {
    #expect(Doctor.container(limit: nil, threads: 64).state == .ok)
    #expect(Doctor.container(limit: 2, threads: 2).state == .ok)
    #expect(Doctor.container(limit: 1.5, threads: 2).state == .warning)
  }

  @Test func memories() {
    let info = "MemTotal:       8000000 kB\nMemFree: 1 kB\nMemAvailable:   4000000 kB\n"
    #expect(Doctor.memory(info: info, limit: nil, ranks: 2).state == .ok)
    #expect(Doctor.memory(info: info, limit: nil, ranks: 4).state == .warning)
    #expect(Doctor.memory(info: info, limit: 1 << 30, ranks: 2).state == .warning)
    #expect(Doctor.memory(info: "", limit: nil, ranks: 1).state == .warning)
  }

  @Test func userLimits() {
    let rows = { (locked: String, space: String, files: String) in
      """
      Limit                     Soft Limit           Hard Limit           Units
      Max processes             94000                94000                processes
      Max open files            \(files)                 4096                 files
      Max locked memory         \(locked)                65536                bytes
      Max address space         \(space)            unlimited            bytes
      """
    }
    #expect(Doctor.limits(rows("65536", "unlimited", "4096"), fabric: false).state == .ok)
    let fabric = Doctor.limits(rows("65536", "unlimited", "4096"), fabric: true)
    #expect(fabric.command == "ulimit -l unlimited")
    #expect(Doctor.limits(rows("unlimited", "unlimited", "4096"), fabric: true).state == .ok)
    #expect(Doctor.limits(rows("65536", "unlimited", "256"), fabric: false).state == .warning)
    #expect(Doctor.limits(rows("65536", "1000000", "4096"), fabric: false).state == .warning)
  }

  @Test func transports() {
    let check = { (pml: String?, fabrics: [String]) in
      Doctor.transports(setting: { $0 == "pml" ? pml : pml.map { _ in "" } }, fabrics: fabrics)
    }
    #expect(check("^ucx", []).state == .ok)
    #expect(check("^ucx", ["mlx5_0"]).mend?.contains("--mca pml ucx") == true)
    #expect(check("ob1", ["mlx5_0"]).state == .warning)
    #expect(check("ucx", ["mlx5_0"]).state == .ok)
    #expect(check("", ["mlx5_0"]).state == .ok)
    #expect(check(nil, ["mlx5_0"]).state == .ok)
  }

  @Test func severalNetworksOnSeveralHosts() {
    #expect(Doctor.networks(["eth0", "ib0"], chosen: "", hosts: 2).state == .warning)
    #expect(Doctor.networks(["eth0", "ib0"], chosen: "ib0", hosts: 2).state == .ok)
    #expect(Doctor.networks(["eth0", "ib0"], chosen: "", hosts: 1).state == .ok)
    #expect(Doctor.networks(["eth0", "ib0"], chosen: nil, hosts: 2).state == .ok)
  }

  @Test func sharedMemories() {
    #expect(Doctor.sharedMemory(free: 1 << 30, ranks: 4).state == .ok)
    #expect(Doctor.sharedMemory(free: 60_000_000, ranks: 4).state == .wrong)
    #expect(Doctor.sharedMemory(free: nil, ranks: 1).state == .wrong)
  }

  @Test func segmentsOfDeadJobsAreFoundAndThoseInUseAreNot() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("shm-\(UUID())")
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(
      at: folder.appendingPathComponent("diffit.abc"), withIntermediateDirectories: true)
    let (dead, used) = ("vader_segment.host.0.1.0", "vader_segment.host.0.2.0")
    let launched = "diffit.abc/vader_segment.host.0.3.0"
    for name in [dead, used, launched, "unrelated"] {
      try Data(count: 8192).write(to: folder.appendingPathComponent(name))
    }
    let file = open(folder.appendingPathComponent(used).path, O_RDONLY)
    let mapped = mmap(nil, 8192, PROT_READ, MAP_SHARED, file, 0)
    try #require(mapped != MAP_FAILED)
    defer {
      munmap(mapped, 8192)
      close(file)
    }
    #expect(Doctor.leftoverSegments(folder: folder.path) == [dead, launched])
    #expect(Doctor.leftovers([dead]).command == "rm /dev/shm/\(dead)")
    #expect(Doctor.leftovers([]).state == .ok)
  }

  @Test func mpirunIsLookedForOnThePath() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bin-\(UUID())")
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    #expect(Doctor.mpirun(path: folder.path) == nil)
    let program = folder.appendingPathComponent("mpirun").path
    try Data("#!/bin/sh\n".utf8).write(to: URL(fileURLWithPath: program))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
    #expect(Doctor.mpirun(path: "/nowhere:\(folder.path)") == program)
    let single = SingleCommunicator()
    #expect(Doctor.mpi(single, launcher: nil).state == .warning)
    #expect(Doctor.mpi(single, launcher: program).state == .ok)
  }
}

@Suite struct DoctorReportTests {
  @Test func thisMachineIsExaminedInWhole() throws {
    let report = try Doctor.examine(SingleCommunicator(), threads: 1)
    let topics = report.ranks.first?.findings.map(\.topic) ?? []
    #expect(
      topics == [
        "cpu", "kernels", "openblas", "affinity", "container", "memory", "mpi", "transports",
        "networks",
        "shm",
        "leftovers", "limits",
      ])
    let complaints = report.ranks.flatMap(\.findings).filter { $0.state != .ok }
    #expect(complaints.allSatisfy { $0.mend?.isEmpty == false })
    #expect(report.lines.allSatisfy { !$0.contains("\n") })
    let copy = try JSONDecoder().decode(DoctorReport.self, from: JSONEncoder().encode(report))
    #expect(copy == report)
  }

  @Test func otherRanksShowOneLineAndWhatRankZeroDidNotSay() {
    let slow = DoctorReport.Finding.warning("affinity", "1 core", mend: "bind otherwise")
    let full = DoctorReport.Finding.wrong("shm", "full", mend: "empty it")
    let rank = { (number: Int, findings: [DoctorReport.Finding]) in
      DoctorReport.Rank(rank: number, host: "n\(number)", summary: "s", findings: findings)
    }
    let report = DoctorReport(ranks: [rank(0, [slow]), rank(1, [slow, full]), rank(2, [])])
    #expect(!report.passed)
    #expect(report.lines.count { $0.contains("1 core") } == 1)
    #expect(report.lines.contains("rank 1 on n1: s: see affinity, shm"))
    #expect(report.lines.contains("rank 2 on n2: s: ok"))
    #expect(report.lines.contains { $0.contains("mend: empty it") })
    #expect(report.lines.last == "1 wrong, 2 to look at (warnings)")
    #expect(DoctorReport(ranks: [rank(0, [slow])]).passed)
  }
}
