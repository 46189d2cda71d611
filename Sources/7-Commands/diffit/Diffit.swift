import ArgumentParser
import CommandSupport
import TensorCore

/// The program: a name, a purpose and its commands.
struct Diffit: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diffit",
    abstract: "Train and use DiffiT diffusion networks on CPUs and clusters of them.",
    discussion: """
      Every command runs as a single rank without mpirun.
      Exit codes: 0 done, 1 failed, 2 bad usage or configuration, 64 stopped on request after \
      saving (start again to go on), 75 ranks lost each other.

      Example: mpirun -n 4 diffit train --config configs/cifar10.yaml
      """,
    version: Build.description(kernels: KernelTable.best.level),
    subcommands: [
      Train.self, Sample.self, EvaluateCommand.self, DataCommand.self, NoiseCommand.self,
      Parity.self, Bench.self, Inspect.self, ConfigCommand.self,
      ReportCommand.self, WatchCommand.self, ExportCommand.self, DoctorCommand.self, Scaling.self,
      PlanCommand.self, OptimalLossCommand.self, ManualCommand.self,
    ])

  /// Whether a command is one of the program, rather than the parser's help.
  static func has(_ command: any ParsableCommand.Type) -> Bool {
    let own = configuration.subcommands
    return (own + own.flatMap { $0.configuration.subcommands }).contains { $0 == command }
  }
}
