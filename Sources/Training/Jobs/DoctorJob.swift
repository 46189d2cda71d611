import Collectives

/// `diffit doctor`: what is wrong with this machine, or with the nodes of a job, and how to mend it.
public enum DoctorJob {
  public static func run(_ options: DoctorOptions) throws {
    try Job.run { communicator, _ in
      let report = try Doctor.examine(communicator)
      guard communicator.rank == 0 else { return }
      if options.json != "-" { print(report.lines.joined(separator: "\n")) }
      if let path = options.json { try writeJSON(report, to: path) }
    }
  }
}
