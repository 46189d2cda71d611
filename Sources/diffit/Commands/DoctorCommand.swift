import ArgumentParser
import Training

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract:
      "Look over CPU, BLAS, MPI, affinity, memory and limits: what is wrong, how to mend it.",
    discussion: """
      Example: mpirun -n 2 diffit doctor
      """)

  mutating func run() throws { try Doctor.run(DoctorOptions()) }
}
