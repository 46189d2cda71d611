import Foundation
import Testing

/// The outcome of a probe run.
struct Outcome {
  let code: Int32
  let output: String
  var lines: [Substring] { output.split(separator: "\n") }
}

/// Starts the probe, under `mpirun` or by hand; never longer than a minute.
enum Job {
  /// - Parameter ranks: 0 starts it by hand.
  static func run(
    _ arguments: String..., ranks: Int, environment: [String: String] = [:]
  ) throws -> Outcome {
    var command = ["timeout", "--kill-after=5", "60"]
    if ranks > 0 {
      command += ["mpirun", "--quiet", "--oversubscribe", "--bind-to", "none", "-n", "\(ranks)"]
    }
    return try run(command + [try probe()] + arguments, environment: environment)
  }

  /// The built probe, which lies beside the tests.
  static func probe() throws -> String {
    let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return URL(fileURLWithPath: tests).deletingLastPathComponent()
      .appendingPathComponent("CollectivesProbe").path
  }

  /// - Parameter during: what to do with the output's first bytes while the job runs.
  static func run(
    _ command: [String], environment: [String: String] = [:],
    during: (Process, String) throws -> Void = { _, _ in }
  ) throws -> Outcome {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    process.environment = clean.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try withUnblockedSignals { try process.run() }
    var output = pipe.fileHandleForReading.availableData
    try during(process, String(decoding: output, as: UTF8.self))
    output += pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Outcome(
      code: process.terminationStatus, output: String(decoding: output, as: UTF8.self))
  }

  /// Tests run on threads that block all signals, and a new process would inherit that.
  private static func withUnblockedSignals(_ body: () throws -> Void) rethrows {
    var (none, before) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try body()
  }

  /// The tests' own environment without what a launcher around them may have put there.
  private static let clean: [String: String] = {
    var environment = ProcessInfo.processInfo.environment.filter { name, _ in
      !["OMPI_", "PMIX_", "PMI_", "SLURM_", "DIFFIT_", "OPENBLAS_"].contains { name.hasPrefix($0) }
    }
    environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
    environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    return environment
  }()
}
