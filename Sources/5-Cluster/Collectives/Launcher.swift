import Foundation

/// How this process was started, according to its environment.
package enum Launcher: Equatable, Sendable {
  /// Directly: one rank, without MPI.
  case none
  /// By an MPI launcher, with the number of ranks if the environment contains it.
  case mpi(ranks: Int?)
  /// By `srun` as one of several tasks that have no means to find each other.
  case tasksWithoutManager(Int)

  /// Reads the variables of Open MPI's and MPICH's mpirun and of Slurm's `srun --mpi=pmix|pmi2`. A
  /// batch script has variables of Slurm too, but not those of a step.
  package init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    let number = { (name: String) in environment[name].flatMap { Int($0) } }
    let tasks = number("SLURM_STEP_NUM_TASKS")
    if let ranks = number("OMPI_COMM_WORLD_SIZE") ?? number("PMI_SIZE") {
      self = .mpi(ranks: ranks)
    } else if environment["PMIX_RANK"] != nil || environment["PMI_RANK"] != nil {
      self = .mpi(ranks: tasks)
    } else if let tasks, tasks > 1, environment["SLURM_PROCID"] != nil {
      self = .tasksWithoutManager(tasks)
    } else {
      self = .none
    }
  }

  /// Joins the job: over MPI if a launcher started this process, else as a single rank.
  package func start() throws(CommunicationError) -> any Communicator {
    switch self {
    case .none: SingleCommunicator()
    case .mpi(let ranks): try MPICommunicator(launched: ranks)
    case .tasksWithoutManager(let tasks): throw .noProcessManager(tasks: tasks)
    }
  }
}
