import Foundation

/// What a process said and how it ended.
package struct Outcome: Sendable {
  /// Exit code; 124 where it was ended because its time was over, 128 + n where signal n ended it.
  package let code: Int32
  /// Standard output; where both were merged, standard error too.
  package let output: String
  package let errors: String

  package var lines: [Substring] { output.split(separator: "\n") }
  /// Lines on standard error.
  package var complaints: [Substring] { errors.split(separator: "\n") }
}

/// A command to run as a process, which cannot outlive its time.
package struct Command {
  package let words: [String]
  /// Added to the tests' own environment, without what a launcher around them may have put there.
  package var environment: [String: String] = [:]
  package var seconds = 60
  /// Whether standard error goes the way of standard output.
  package var merged = false

  package init(_ words: [String]) { self.words = words }

  /// The command under `mpirun`, which may start more ranks than there are cores.
  ///
  /// - Parameter ranks: 0: as it is, without `mpirun`.
  package func onRanks(_ ranks: Int) -> Command {
    guard ranks > 0 else { return self }
    let launcher = ["mpirun", "--quiet", "--oversubscribe", "--bind-to", "none", "-n", "\(ranks)"]
    var command = Command(launcher + words)
    (command.environment, command.seconds, command.merged) = (environment, seconds, merged)
    return command
  }

  /// Runs it to its end.
  ///
  /// - Parameter meanwhile: called when it has started.
  package func run(_ meanwhile: (Running) throws -> Void = { _ in }) throws -> Outcome {
    let running = try Running(self)
    do { try meanwhile(running) } catch {
      running.end()
      throw error
    }
    return try running.wait()
  }

  /// A product of this package, which lies beside the tests.
  package static func product(_ name: String) throws -> String {
    let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent(name).path
  }

  static let cleanEnvironment: [String: String] = {
    var environment = ProcessInfo.processInfo.environment.filter { name, _ in
      !["OMPI_", "PMIX_", "PMI_", "SLURM_", "DIFFIT_", "OPENBLAS_"].contains { name.hasPrefix($0) }
    }
    environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
    environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    return environment
  }()
}
