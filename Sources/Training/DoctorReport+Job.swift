extension DoctorReport {
  /// What a rank runs and on what, to be compared with the others.
  public struct Identity: Codable, Sendable, Equatable {
    public var host: String
    public var version: String
    /// XXH3-128 of the program's file.
    public var binary: String
    public var mpi: String
    /// Instruction set of the kernels in use.
    public var kernels: String
    public var threads: Int
    /// Affinity mask, as the kernel writes it: "0-3,8".
    public var cpus: String

    public init(
      host: String, version: String, binary: String, mpi: String, kernels: String, threads: Int,
      cpus: String
    ) {
      (self.host, self.version, self.binary, self.mpi) = (host, version, binary, mpi)
      (self.kernels, self.threads, self.cpus) = (kernels, threads, cpus)
    }
  }

  /// What only shows when all ranks are looked at together.
  public struct Job: Codable, Sendable, Equatable {
    /// In the order of ranks, as `clocks`.
    public let ranks: [Identity]
    public let clocks: [ClockOffset]
    public let allReduce: [AllReduceTiming]
    public let findings: [Finding]

    public enum CodingKeys: String, CodingKey {
      case ranks, clocks, findings
      case allReduce = "allreduce"
    }

    public init(ranks: [Identity], clocks: [ClockOffset], allReduce: [AllReduceTiming]) {
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
