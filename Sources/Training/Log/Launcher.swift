import Foundation

/// What the program that started this process (Open MPI's, MPICH's or Slurm's) says about it, before
/// MPI itself has started.
public enum Launcher {
  private static let rankVariables = ["OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK"]

  /// Nil where the process was started on its own.
  public static var rank: Int? {
    let environment = ProcessInfo.processInfo.environment
    return rankVariables.lazy.compactMap { environment[$0].flatMap { Int($0) } }.first
  }
}
