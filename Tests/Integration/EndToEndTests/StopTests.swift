import FixtureSupport
import Foundation
import ProcessSupport
import Testing

extension EndToEndTests {
  /// Being asked to stop.
  @Suite("Stopping on request") struct StopTests {
    let scene: Scene
    let run: RunFolder

    init() throws {
      scene = try Scene()
      run = RunFolder(scene, "run")
    }

    private struct Note: Decodable {
      let reason: String
      let images: Int
    }

    /// Checks what a stopped run leaves, goes on from it, and compares with a run never stopped.
    private func expectGoodStop(
      _ outcome: Outcome, reason: String, ranks: Int,
      at location: SourceLocation = #_sourceLocation
    ) throws {
      try #require(outcome.code == 64, "\(outcome.errors)", sourceLocation: location)
      #expect(outcome.complaints.count == 1, "\(outcome.errors)", sourceLocation: location)
      let note = try JSONDecoder().decode(Note.self, from: Data(run.text("STOPPED").utf8))
      #expect(note.reason == reason && note.images % 16 == 0, "\(note)", sourceLocation: location)
      #expect(
        outcome.errors.contains("(\(reason)) at \(note.images) images, state saved"),
        sourceLocation: location)
      #expect(try run.rows.last?.images == note.images, sourceLocation: location)
      #expect(run.checkpoints.last.map { Int($0.dropFirst(7)) } == note.images)

      let (end, whole) = (note.images + 32, RunFolder(scene, "whole"))
      try run.train("train.images=\(end)", ranks: ranks)
      #expect(!scene.exists("run/STOPPED"), sourceLocation: location)
      try whole.train("train.images=\(end)", ranks: ranks)
      try expectSameBits(run, whole, images: end, at: location)
    }

    private func untilRows(_ running: Running) throws {
      try running.wait(until: "three rows") { (try? run.rows.count) ?? 0 >= 3 }
    }

    @Test func aSignalToMpirun() throws {
      let outcome = try Diffit.training(run.path, ["train.images=100k"]).onRanks(2).run {
        try untilRows($0)
        try $0.signal(SIGUSR1)
      }
      try expectGoodStop(outcome, reason: "SIGUSR1", ranks: 2)
    }

    @Test(arguments: [(SIGUSR1, "SIGUSR1"), (SIGTERM, "SIGTERM")])
    func aSignalToOneRank(signal: Int32, name: String) throws {
      let outcome = try Diffit.training(run.path, ["train.images=100k"]).onRanks(2).run {
        try untilRows($0)
        let ranks = try $0.children(of: $0.processID)
        #expect(ranks.count == 2)
        for rank in ranks.suffix(1) { kill(rank, signal) }
      }
      try expectGoodStop(outcome, reason: name, ranks: 2)
    }

    @Test(arguments: [(SIGUSR1, "SIGUSR1"), (SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")])
    func aSignalToASingleProcess(signal: Int32, name: String) throws {
      let outcome = try Diffit.training(run.path, ["train.images=100k"]).run {
        try untilRows($0)
        try $0.signal(signal)
      }
      try expectGoodStop(outcome, reason: name, ranks: 0)
    }

    @Test(arguments: [SIGTERM, SIGUSR1]) func aSignalToTheLauncher(signal: Int32) throws {
      let training = try Diffit.training(run.path, ["train.images=100k"])
      let words =
        [Repository.launcher, "--program", training.words[0], "-n", "2", "--"]
        + training.words.dropFirst()
      let outcome = try Command(words).run {
        try untilRows($0)
        try $0.signal(signal)
      }
      try expectGoodStop(outcome, reason: "SIGUSR1", ranks: 2)
    }

    /// The state does not depend on when the request came: while files were read, it waits for the
    /// first step.
    @Test func aRequestBeforeTheFirstStep() throws {
      let outcome = try Diffit.training(run.path, ["train.images=100k"]).onRanks(2).run { running in
        try running.wait(until: "the run directory") { scene.exists("run/.lock") }
        try running.signal(SIGUSR1)
      }
      try expectGoodStop(outcome, reason: "SIGUSR1", ranks: 2)
    }

    /// Batch systems give 30 seconds or more. A request is heard at the end of the slowest rank's step.
    @Test func aSlowRankIsWaitedForAndTheStateSavedInTime() throws {
      var moment = Date()
      let outcome = try Diffit.training(run.path, ["train.images=100k"]).onRanks(2)
        .faulty("slow=0.5@rank=1", in: scene).run {
          try untilRows($0)
          try $0.signal(SIGUSR1)
          moment = Date()
        }
      #expect(Date().timeIntervalSince(moment) < 10)
      #expect(outcome.code == 64, "\(outcome.errors)")
      let images = try #require(run.rows.last?.images)
      #expect(try run.text("STOPPED").contains("\"images\": \(images)}"))
      #expect(try run.state(images).count == 4)
    }

    /// Launchers and people repeat themselves.
    @Test func requestsThatFollowDoNoHarm() throws {
      let outcome = try Diffit.training(run.path, ["train.images=100k"]).run { running in
        try untilRows(running)
        let program = try running.processID
        while kill(program, SIGUSR1) == 0 && kill(program, SIGTERM) == 0 { usleep(500) }
      }
      #expect(outcome.code == 64, "\(outcome.errors)")
      #expect(outcome.complaints.count == 1)
      #expect(scene.exists("run/STOPPED"))
    }
  }
}
