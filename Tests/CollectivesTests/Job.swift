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
    let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let probe = URL(fileURLWithPath: executable).deletingLastPathComponent()
      .appendingPathComponent("CollectivesProbe").path
    var command = ["timeout", "--kill-after=5", "60"]
    if ranks > 0 {
      command += ["mpirun", "--quiet", "--oversubscribe", "--bind-to", "none", "-n", "\(ranks)"]
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command + [probe] + arguments
    process.environment = clean.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Outcome(
      code: process.terminationStatus, output: String(decoding: output, as: UTF8.self))
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
