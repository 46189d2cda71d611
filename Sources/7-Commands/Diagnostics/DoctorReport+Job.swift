import Benchmarking
import CommandSupport

extension DoctorReport {
  /// What a rank runs and on what, to be compared with the others.
  package struct Identity: Codable, Sendable, Equatable {
    package var host: String
    package var version: String
    /// XXH3-128 of the program's file.
    package var binary: String
    package var mpi: String
    /// Instruction set of the kernels in use.
    package var kernels: String
    package var threads: Int
    /// Affinity mask, as the kernel writes it: "0-3,8".
    package var cpus: String

    package init(
      host: String, version: String, binary: String, mpi: String, kernels: String, threads: Int,
      cpus: String
    ) {
      (self.host, self.version, self.binary, self.mpi) = (host, version, binary, mpi)
      (self.kernels, self.threads, self.cpus) = (kernels, threads, cpus)
    }
  }

  /// What only shows when all ranks are looked at together.
  package struct Job: Codable, Sendable, Equatable {
    /// In the order of ranks, as `clocks`.
    package let ranks: [Identity]
    package let clocks: [ClockOffset]
    package let allReduce: [AllReduceTiming]
    package let findings: [Finding]

    package enum CodingKeys: String, CodingKey {
      case ranks, clocks, findings
      case allReduce = "allreduce"
    }

    package init(ranks: [Identity], clocks: [ClockOffset], allReduce: [AllReduceTiming]) {
      (self.ranks, self.clocks, self.allReduce) = (ranks, clocks, allReduce)
      findings =
        [
          Doctor.versions(ranks), Doctor.binaries(ranks), Doctor.libraries(ranks),
          Doctor.kernelsOfRanks(ranks), Doctor.threadsOfRanks(ranks), Doctor.masks(ranks),
          Doctor.clocks(clocks, hosts: ranks.map(\.host)), Doctor.messages(allReduce),
        ]
    }
  }
}
