import ArgumentParser
import Diagnostics

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract:
      "Look over CPU, BLAS, MPI, affinity, memory and limits: what is wrong, how to mend it.",
    discussion: """
      Under mpirun it also compares the ranks (version, binary, kernels, affinity, clocks) and times \
      sums of 8 B to 64 MiB over them.

      Example: mpirun -n 2 diffit doctor
      """)

  @Option(
    name: .long,
    help: ArgumentHelp("Write the findings here too; -: standard output.", valueName: "file"))
  var json: String?

  mutating func run() throws { try DoctorJob.run(DoctorOptions(json: json)) }
}
