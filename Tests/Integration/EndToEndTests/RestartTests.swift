import FixtureSupport
import Foundation
import ProcessSupport
import Testing

extension EndToEndTests {
  /// `launch/local.sh --restarts`, and `launch/cluster.sh --restarts` on this host.
  @Suite("Restarts") struct RestartTests {
    let scene: Scene
    let run: RunFolder

    init() throws {
      scene = try Scene()
      run = RunFolder(scene, "run")
    }

    private func launch(
      _ restarts: Int, _ settings: String..., script: String = "local.sh", fault: String? = nil
    ) throws -> Command {
      let training = try Diffit.training(run.path, settings)
      var words = ["\(Repository.root)/launch/\(script)", "-n", "2"]
      words += ["--program", training.words[0]]
      if script == "cluster.sh" {
        try Data("localhost slots=2\n".utf8).write(to: URL(fileURLWithPath: scene.path("hosts")))
        words += ["--hosts", scene.path("hosts")]
      }
      words += ["--restarts", "\(restarts)", "--"] + training.words.dropFirst()
      var command = Command(words)
      if let fault { command.environment["DIFFIT_TEST_FAULT"] = fault }
      return command
    }

    /// The ranks of the launcher's job: it has other children beside `mpirun`.
    private func ranks(_ running: Running) throws -> [Int32] {
      try running.children(of: running.processID)
        .flatMap { (try? running.children(of: $0)) ?? [] }
        .filter { (try? String(contentsOfFile: "/proc/\($0)/comm", encoding: .utf8)) == "diffit\n" }
    }

    @Test(arguments: ["local.sh", "cluster.sh"])
    func aKilledRankIsStartedAgain(script: String) throws {
      let settings = ["train.images=1600", "checkpoint.every=160", "log.every=80"]
      let command = try launch(2, settings[0], settings[1], settings[2], script: script)
      let outcome = try command.run { running in
        try running.wait(until: "a checkpoint") { run.checkpoints.contains { $0.hasPrefix("im") } }
        kill(try #require(ranks(running).last), SIGKILL)
      }
      #expect(outcome.code == 0, "\(outcome.errors)")
      // Open MPI may add that it could not read from the process that is gone.
      let own = outcome.complaints.filter { $0.hasPrefix("launch/") }
      #expect(own == ["launch/\(script): the job crashed (code 137): restart 1 of 2"])
      #expect(outcome.output.contains("resumed from \(run.path)/checkpoints/images-"))
      let whole = RunFolder(scene, "whole")
      try whole.train(settings[0], settings[1], settings[2], ranks: 2)
      try expectSameBits(run, whole, images: 1600)
    }

    /// Not more often than allowed.
    @Test func whatTheWatchdogEndsIsStartedAgain() throws {
      let outcome = try launch(1, "parallel.timeout=1", fault: "hang@images=32,rank=1").run()
      #expect(outcome.code == 75)
      #expect(outcome.errors.contains("the job crashed (code 75): restart 1 of 1"))
      #expect(outcome.complaints.count { $0.contains("rank 1 is stuck on ") } == 2)
    }

    /// They would come again.
    @Test func errorsThatTheProgramFindsAreNotStartedAgain() throws {
      let wrong = try launch(3, "train.batch=0").run()
      #expect(wrong.code == 2 && wrong.complaints.count == 1, "\(wrong.errors)")
      let stops = try launch(3, "optimizer.on_nonfinite=stop", fault: "nan@images=16").run()
      #expect(stops.code == 1 && stops.complaints.count == 1, "\(stops.errors)")
    }

    @Test func aRequestToStopEndsRestarts() throws {
      let outcome = try launch(3, "train.images=100k").run { running in
        try running.wait(until: "three rows") { (try? run.rows.count) ?? 0 >= 3 }
        try running.signal(SIGTERM)
      }
      #expect(outcome.code == 64 && outcome.complaints.count == 1, "\(outcome.errors)")
      #expect(scene.exists("run/STOPPED"))
    }

    @Test(arguments: [
      (["--restarts", "x"], "--restarts is 'x'"),
      (["--restarts", "1", "--", "doctor"], "is for train"),
      (["--restarts", "1", "--", "train", "--resume", "never"], "only with --resume auto"),
    ])
    func badUsage(words: [String], message: String) throws {
      let outcome = try Command([Repository.launcher] + words).run()
      #expect(outcome.code == 2)
      #expect(outcome.complaints.first?.contains(message) == true, "\(outcome.errors)")
    }
  }
}
