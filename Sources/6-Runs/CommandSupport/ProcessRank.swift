import Foundation

/// What the program that started this process (Open MPI's, MPICH's or Slurm's) says about it,
/// before MPI itself has started.
package enum ProcessRank {
  /// Nil where the process was started on its own.
  package static var rank: Int? {
    number(["OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK"])
  }

  /// Ranks of the job; 1 where the process was started on its own.
  package static var count: Int { number(["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"]) ?? 1 }

  /// Whether this process speaks for the job in a command that needs no MPI.
  package static var isFirst: Bool { rank ?? 0 == 0 }

  private static func number(_ names: [String]) -> Int? {
    let environment = ProcessInfo.processInfo.environment
    return names.lazy.compactMap { environment[$0].flatMap { Int($0) } }.first
  }
}
