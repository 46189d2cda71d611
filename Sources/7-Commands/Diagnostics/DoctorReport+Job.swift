import Benchmarking
import CommandSupport

extension DoctorReport {
  /// What one rank runs, and on what, for comparison with the other ranks.
  package struct Identity: Codable, Sendable, Equatable {
    /// The rank's host.
    package var host: String
    /// The program's version.
    package var version: String
    /// XXH3-128 of the program's file.
    package var binary: String
    /// Name and version of the MPI library.
    package var mpi: String
    /// Instruction set of the kernels in use.
    package var kernels: String
    /// Threads that the rank would have.
    package var threads: Int
    /// Affinity mask, as the kernel writes it: "0-3,8".
    package var cpus: String

    /// What one rank runs.
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
    /// Clock offsets to the first rank.
    package let clocks: [ClockOffset]
    /// Times of sums over all ranks, by size.
    package let allReduce: [AllReduceTiming]
    /// What the comparison found, one line per topic.
    package let findings: [Finding]

    enum CodingKeys: String, CodingKey {
      case ranks, clocks, findings
      case allReduce = "allreduce"
    }

    /// Compares what the ranks found.
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
