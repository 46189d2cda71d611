import CommandSupport
import SystemSupport

/// `diffit doctor`: what is wrong with this machine, or with the nodes of a job, and how to mend
/// it.
package enum DoctorJob {
  /// Examines all ranks, prints the report, and fails where something will not work. Collective.
  package static func run(_ options: DoctorOptions) throws {
    try Job.run { communicator, _ in
      let report = try Doctor.examine(communicator)
      try communicator.agree {
        if communicator.rank == 0 {
          if options.json != "-" {
            try StandardStreams.printLine(report.lines.joined(separator: "\n"))
          }
          if let path = options.json { try writeJSON(report, to: path) }
        }
        guard report.passed else { throw DoctorError.notWell }
      }
    }
  }
}
