import FixtureSupport
import Foundation
import ProcessSupport
import SystemSupport
import Testing

extension JobTests {
  /// `launch/local.sh`, with the probe in the place of diffit.
  @Suite struct LaunchTests {
    private let scripts = Repository.path("launch")
    private var script: String { "\(scripts)/local.sh" }

    private func launch(
      _ arguments: String..., during: ((Running) throws -> Void)? = nil
    ) throws -> Outcome {
      let command = [script, "--program", try Job.probe()] + arguments
      return try Job.run(command, during: during)
    }

    @Test func aRankHasTheThreadsAskedForOrItsPartOfTheCores() throws {
      let cores = try #require(CoreSet.allowed).physicalCount
      let one = try launch("-n", "1", "--", "report")
      #expect(one.code == 0)
      let limit = ControlGroup().cpuLimit.map { max(1, Int($0)) } ?? cores
      #expect(one.output.hasPrefix("0/1 threads \(min(cores, limit)) "), "\(one.output)")
      let many = try launch("-n", "\(cores + 1)", "--", "report")
      #expect(many.code == 0)
      #expect(many.lines.count == cores + 1)
      #expect(many.lines.allSatisfy { $0.contains(" threads 1 ") }, "\(many.output)")
      let asked = try launch("-n", "2", "--threads", "3", "--", "report")
      #expect(asked.lines.allSatisfy { $0.contains(" threads 3 ") }, "\(asked.output)")
      #expect(asked.lines.count == 2)
    }

    @Test func theExitCodeComesBackAndOneLineStays() throws {
      let outcome = try launch("-n", "2", "--", "failure")
      #expect(outcome.code == 2)
      #expect(outcome.lines.count == 1, "\(outcome.output)")
    }

    @Test(arguments: [SIGTERM, SIGHUP, SIGUSR1])
    func aRequestToStopReachesTheRanksAndNothingIsLeftBehind(signal: Int32) throws {
      var folder = ""
      let outcome = try launch("-n", "2", "--", "wait") { running in
        let words = running.output.split(whereSeparator: \.isWhitespace)
        folder = String(words.dropFirst().first ?? "")
        try running.signal(signal)
      }
      #expect(outcome.code == 64, "\(outcome.output)")
      #expect(folder.hasPrefix("/dev/shm/diffit."))
      #expect(!FileManager.default.fileExists(atPath: folder))
    }

    /// Open MPI's mpirun can wait for ever for ranks that died while they were started.
    @Test(arguments: ["local.sh", "cluster.sh"])
    func aLauncherWhoseRanksAreAllDeadIsEnded(script: String) throws {
      let folder = FileManager.default.temporaryDirectory.appendingPathComponent("launch-\(UUID())")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: folder) }
      let (mpirun, hosts) = (folder.path + "/mpirun", folder.path + "/hosts")
      // A shell's child whose end nobody asks for, since the shell has become another program.
      let fake = """
        #!/bin/sh
        if [ "$1" = --version ]; then echo "mpirun (Open MPI)" && exit; fi
        true &
        exec sleep 50
        """
      try Data(fake.utf8).write(to: URL(fileURLWithPath: mpirun))
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: mpirun)
      try Data("localhost\n".utf8).write(to: URL(fileURLWithPath: hosts))
      let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
      let options = ["--program", try Job.probe(), "--", "report"]
      let outcome = try Job.run(
        ["\(scripts)/\(script)"] + (script == "cluster.sh" ? ["--hosts", hosts] : []) + options,
        environment: ["PATH": "\(folder.path):\(path)"])
      #expect(outcome.code == 137, "\(outcome.output)")
      #expect(
        outcome.lines == [
          "launch/\(script): mpirun waits for ranks that are dead: ending it",
          "launch/\(script): the job was ended by signal KILL (code 137)",
        ])
    }

    @Test func badUsageIsSaidWithTheUsage() throws {
      for arguments in [
        ["-n", "0", "--", "report"], ["-n"], ["--threads", "two", "--", "report"], ["-n", "2"],
        ["--nosuch"],
      ] {
        let outcome = try Job.run([script] + arguments)
        #expect(outcome.code == 2, "\(arguments)")
        #expect(outcome.lines.first?.hasPrefix("launch/local.sh: ") == true, "\(outcome.output)")
        #expect(outcome.output.contains("Usage:"))
      }
    }

    @Test func aMissingProgramIsNamed() throws {
      let outcome = try Job.run([script, "--program", "/nowhere/diffit", "--", "doctor"])
      #expect(outcome.code == 1)
      #expect(outcome.output.contains("/nowhere/diffit is missing"), "\(outcome.output)")
      #expect(outcome.lines.count == 1)
    }
  }
}
