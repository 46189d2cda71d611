import Collectives
import CommandSupport
import Foundation
import LinearAlgebra
import SystemSupport
import TensorCore

/// Looks at everything outside the program that a run depends on.
///
/// Each check is a function from what was read to a finding, so that it can be tried on a machine
/// that does not have the fault.
package enum Doctor {
  /// One line of the report.
  package typealias Finding = DoctorReport.Finding

  /// Examines every rank and compares them; collective, and every rank holds the whole report.
  /// Several ranks send messages of up to 64 MiB for a few seconds.
  ///
  /// - Parameters:
  ///   - threads: threads that each rank is to have; 0: as many as training would choose.
  ///   - environment: read for PATH, DIFFIT_THREADS and DIFFIT_KERNELS.
  package static func examine(
    _ communicator: any Communicator, threads: Int = 0,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(CommunicationError) -> DoctorReport {
    let share = try CoreShare(of: communicator, environment: environment)
    let threads = threads > 0 ? threads : share.threads
    let hosts = Set(try communicator.hosts()).count
    let (best, used, ranks) = (
      KernelTable.bestLevel, KernelTable.best.level, communicator.localSize
    )
    let (group, fabrics) = (ControlGroup(), ProcFS.names(in: "/sys/class/infiniband"))
    let networksUp = ProcFS.names(in: "/sys/class/net")
      .filter { ProcFS.text("/sys/class/net/\($0)/operstate").hasPrefix("up") }
    let findings = [
      processor(cpuInfo: ProcFS.text("/proc/cpuinfo"), best: best),
      kernels(best: best, used: used, asked: environment["DIFFIT_KERNELS"]),
      blas(
        core: OpenBLAS.core, better: OpenBLAS.betterCore,
        repaired: environment["DIFFIT_OPENBLAS_CORE"]),
      affinity(
        share, threads: threads, localSize: ranks, online: CoreSet.online?.physicalCount ?? 1),
      container(limit: group.cpuLimit, threads: threads * ranks),
      memory(info: ProcFS.text("/proc/meminfo"), limit: group.memoryLimit, ranks: ranks),
      mpi(communicator, launcher: mpirun(path: environment["PATH"] ?? "")),
      transports(setting: MPILibrary.setting, fabrics: fabrics),
      networks(networksUp, chosen: MPILibrary.setting("btl_tcp_if_include"), hosts: hosts),
      sharedMemory(free: freeBytes(at: "/dev/shm"), ranks: ranks),
      leftovers(leftoverSegments()),
      limits(ProcFS.text("/proc/self/limits"), fabric: !fabrics.isEmpty),
    ]
    let own = DoctorReport.Rank(
      rank: communicator.rank, host: communicator.host,
      summary: "\(Format.quantity(share.cores, "core")), \(Format.quantity(threads, "thread")),"
        + " kernels \(used), OpenBLAS \(OpenBLAS.core)",
      findings: findings)
    return DoctorReport(
      ranks: try gatherEncoded(own, over: communicator),
      job: try job(communicator, threads: threads))
  }

  /// Every rank's value, in the order of ranks; collective.
  static func gatherEncoded<Value: Codable>(
    _ mine: Value, over communicator: any Communicator
  ) throws(CommunicationError) -> [Value] {
    try communicator.gather(Array((try? JSONEncoder().encode(mine)) ?? Data()))
      .compactMap { try? JSONDecoder().decode(Value.self, from: Data($0)) }
  }

  /// Bytes that this user may still write to a file system; nil where there is none.
  package static func freeBytes(at path: String) -> Int? {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { return nil }
    return Int(status.f_bavail) * Int(status.f_frsize)
  }
}
