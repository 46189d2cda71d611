import SystemSupport

/// What can go wrong between ranks. Each description is one line.
package enum CommunicationError: ExitCoded, Equatable, CustomStringConvertible {
  /// An operation of the MPI library failed; `reason` is the library's own text.
  case failed(rank: Int, operation: String, reason: String)
  /// The launcher and the linked library belong to different MPIs, so each process sees only
  /// itself.
  case launcherMismatch(launched: Int, found: Int, library: String)
  /// `srun` started several tasks without telling them about each other.
  case noProcessManager(tasks: Int)
  /// Ranks hold different values of something that must be equal on all of them, such as the
  /// weights.
  case replicasDiffer(what: String, ranks: [Int])
  /// At least one rank failed, and all ranks know it. `rank` is the first that failed, which is the
  /// one that prints the message. All ranks are at the same point, so `finalize()` is safe. `code`
  /// is the exit code.
  case agreed(rank: Int, message: String, code: Int32)

  /// The error as one line.
  package var description: String {
    switch self {
    case .failed(let rank, let operation, let reason):
      "rank \(rank): MPI \(operation) failed: \(reason); `diffit doctor` shows how MPI is set up here"
    case .launcherMismatch(let launched, let found, let library):
      "the launcher started \(launched) ranks, but the MPI library (\(library)) sees \(found);"
        + " use the mpirun that belongs to this library"
    case .noProcessManager(let tasks):
      "srun started \(tasks) tasks that cannot find each other (no PMI); use `srun --mpi=pmix`,"
        + " or mpirun"
    case .replicasDiffer(let what, let ranks):
      "\(what) on \(ranks.count == 1 ? "rank" : "ranks")"
        + " \(ranks.map(String.init).joined(separator: ", ")) differ from the other ranks;"
        + " resume from the last checkpoint; if it happens again, check the memory of these hosts,"
        + " and that all ranks run the same build"
    case .agreed(_, let message, _): message
    }
  }

  /// The rank that should print this error if all ranks hold it and can leave together by
  /// `finalize()`; nil if only this rank holds it, which must then call `abort(code:)`.
  package var spokesman: Int? {
    switch self {
    case .agreed(let rank, _, _): rank
    case .replicasDiffer: 0
    case .failed, .launcherMismatch, .noProcessManager: nil
    }
  }

  /// EX_TEMPFAIL of sysexits.h: ranks have lost each other, and the same job may succeed when it is
  /// started again.
  package static let lostJob: Int32 = 75

  /// The program's exit code for this error.
  package var exitCode: Int32 {
    switch self {
    case .agreed(_, _, let code): code
    case .failed: CommunicationError.lostJob
    case .launcherMismatch, .noProcessManager, .replicasDiffer: 1
    }
  }
}
