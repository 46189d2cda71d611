import Foundation
import ProcessSupport
import Testing

extension EndToEndTests {
  /// Ranks that are alive and do not move.
  @Suite("Watchdog") struct WatchdogTests {
    let scene: Scene
    let run: RunFolder

    init() throws {
      scene = try Scene()
      run = RunFolder(scene, "run")
    }

    private func training(
      _ fault: String?, _ settings: String..., timeout: Int = 3
    ) throws -> Command {
      try Diffit.training(run.path, ["parallel.timeout=\(timeout)"] + settings).onRanks(3)
        .faulty(fault, in: scene)
    }

    /// What the program said; Open MPI may complain of the ranks that are gone (`[host:12] ...`).
    private func lines(_ outcome: Outcome) -> [Substring] {
      outcome.complaints.filter { !$0.hasPrefix("[") }
    }

    /// Expects one line, in the log too, that names `rank`, and what the others wait for.
    private func expectNamed(
      _ rank: Int, _ outcome: Outcome, others: String,
      at location: SourceLocation = #_sourceLocation
    ) throws {
      #expect(outcome.code == 75, "\(outcome.errors)", sourceLocation: location)
      let line = try #require(lines(outcome).first, sourceLocation: location)
      #expect(lines(outcome).count == 1, "\(outcome.errors)", sourceLocation: location)
      let host = ProcessInfo.processInfo.hostName.split(separator: ".")[0]
      #expect(
        line.contains("error: rank \(rank) is stuck on \(host)"), "\(line)",
        sourceLocation: location)
      #expect(line.contains("; \(others) have waited "), "\(line)", sourceLocation: location)
      #expect(line.contains(" images), phase "), "\(line)", sourceLocation: location)
      #expect(line.contains("(collective "), "\(line)", sourceLocation: location)
      #expect(
        line.hasSuffix("ending the job (parallel.timeout is 3)"), "\(line)",
        sourceLocation: location)
      let said = try #require(line.firstRange(of: "error: "), sourceLocation: location)
      // A first rank that was stopped may add the line it was about to write when the job ends.
      let errors = try run.text("log.txt").split(separator: "\n").filter { $0.contains("Z error ") }
      #expect(errors.count == 1, sourceLocation: location)
      #expect(
        errors.first?.hasSuffix(" " + line[said.upperBound...]) == true, sourceLocation: location)
    }

    /// A stopped process says nothing at all: also where it is the first, which would speak for all.
    @Test(arguments: [(0, "ranks 1, 2"), (1, "ranks 0, 2")])
    func aStoppedRankIsNamed(stopped: Int, others: String) throws {
      var moment = Date()
      let outcome = try training(nil, "train.images=100k").run { running in
        try running.wait(until: "three rows") { (try? run.rows.count) ?? 0 >= 3 }
        let ranks = try running.children(of: running.processID)
        try #require(ranks.count == 3)
        kill(ranks[stopped], SIGSTOP)
        moment = Date()
      }
      #expect(Date().timeIntervalSince(moment) < 3 + 6)
      try expectNamed(stopped, outcome, others: others)
    }

    /// The rest of its process goes on, heartbeats too.
    @Test func aRankThatHangsOutsideOfMPIIsNamed() throws {
      let outcome = try training("hang@images=32,rank=1").run()
      try expectNamed(1, outcome, others: "ranks 0, 2")
      #expect(
        outcome.errors.contains("no progress for 3 s, last seen at step 2 (32 images), phase data"))
    }

    /// Before the first step, too.
    @Test func aRankThatStopsAtOnceIsNamed() throws {
      let outcome = try training("stop@rank=2", timeout: 2).run()
      #expect(outcome.code == 75 && lines(outcome).count == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains("rank 2 is stuck on "), "\(outcome.errors)")
    }

    @Test func withoutHeartbeatsTheJobEndsAndSaysWhyNobodyIsNamed() throws {
      let both = try training("mute@rank=1", timeout: 2).run {
        try $0.wait(until: "three rows") { (try? run.rows.count) ?? 0 >= 3 }
      }
      #expect(both.code == 0, "\(both.errors)")  // nothing is stuck
      let outcome = try training("mute", "train.images=100k", timeout: 2).run { running in
        try running.wait(until: "more rows") { (try? run.rows.count) ?? 0 > 8 }
        kill(try #require(running.children(of: running.processID).last), SIGSTOP)
      }
      #expect(outcome.code == 75 && lines(outcome).count == 1, "\(outcome.errors)")
      #expect(
        outcome.errors.contains(
          "which one is not known: no heartbeat (UDP) ever came from ranks 1, 2; rank 0 has waited"),
        "\(outcome.errors)")
    }

    /// It is named in the log and in the statistics, with what it loses time in.
    @Test func aSlowRankIsNamed() throws {
      let outcome = try training(
        "slow=0.4@rank=1", "train.images=32", "log.straggler=3", timeout: 9
      )
      .run()
      #expect(outcome.code == 0 && outcome.complaints.count == 2, "\(outcome.errors)")
      for line in outcome.complaints {
        #expect(line.hasPrefix("warning: rank 1 on ") && line.contains(" is slow: 0.4"), "\(line)")
        #expect(line.contains("it loses most in data (log.straggler is 3"), "\(line)")
      }
      let spread = try run.rows.map(\.rankStepSeconds)
      #expect(spread.allSatisfy { $0.slowest == 1 && $0.slowestPhase == "data" })
      #expect(spread.allSatisfy { $0.max >= 0.4 && $0.max > 3 * $0.median })
    }

    /// Its steps come late, but they come.
    @Test func aSlowRankIsLeftAlone() throws {
      let outcome = try training("slow=0.6@rank=1", "train.images=48", timeout: 1).run()
      #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    }

    /// Stopped and let go on within the timeout.
    @Test func aPauseIsForgiven() throws {
      let outcome = try training(nil, "train.images=480").run { running in
        try running.wait(until: "three rows") { (try? run.rows.count) ?? 0 >= 3 }
        let rank = try #require(running.children(of: running.processID).last)
        kill(rank, SIGSTOP)
        usleep(1_500_000)
        kill(rank, SIGCONT)
      }
      #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    }
  }
}
