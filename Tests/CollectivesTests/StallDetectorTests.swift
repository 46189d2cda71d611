import Collectives
import Testing

/// When a job counts as stuck, and on whose account.
@Suite struct StallDetectorTests {
  /// What `rank` of three, which watches if it is 0 or 1, knows after hearing the others for a while.
  struct Scene {
    var vigil: StallDetector
    var states: [Activity.State?]
    var counts = [0, 0, 0]
    var still = [0.0, 0.0, 0.0]

    init(rank: Int = 0, timeout: Double = 10, _ states: [Activity.State?]) {
      vigil = StallDetector(
        rank: rank, hosts: ["a", "a", "b"], watchers: [0, 1], timeout: timeout, batch: 16)
      self.states = states
    }

    /// Time passes; the ranks that have a state say so once a second.
    mutating func pass(_ seconds: Int, moving: Set<Int> = []) {
      for _ in 0..<seconds {
        if let own = states[vigil.rank] { _ = vigil.pass(seconds: 1, own: own) }
        for rank in states.indices {
          guard var state = states[rank] else { continue }
          state.changes += moving.contains(rank) ? 1 : 0
          still[rank] = moving.contains(rank) ? 0 : still[rank] + 1
          states[rank] = state
          counts[rank] += 1
          if rank != vigil.rank {
            vigil.note(
              Heartbeat(rank: rank, count: counts[rank], state: state, still: still[rank]))
          }
        }
      }
    }

    var line: String? { vigil.finding?.line(timeout: Int(vigil.timeout)) }
  }

  private func waiting(
    _ collectives: Int = 7, phase: Activity.Phase = .communication
  ) -> Activity.State {
    Activity.State(
      images: 640, phase: phase, operation: "reduce", collectives: collectives, changes: 5)
  }
  private func working(_ phase: Activity.Phase) -> Activity.State {
    Activity.State(images: 640, phase: phase, collectives: 6, changes: 5)
  }

  @Test func aSilentRankIsNamed() throws {
    var scene = Scene([waiting(), waiting(), working(.backward)])
    scene.pass(3)
    scene.states[2] = nil
    scene.pass(6)
    #expect(scene.line == nil)
    scene.pass(5)
    let finding = try #require(scene.vigil.finding)
    #expect(finding.stuck == [2])
    #expect(
      scene.line
        == "rank 2 is stuck on b: silent for 11 s, last seen at step 40 (640 images), phase"
        + " backward; ranks 0, 1 have waited 14 s at step 40 (640 images), phase communication, in"
        + " \"reduce\" (collective 7); ending the job (parallel.timeout is 10)")
  }

  @Test func aRankThatHangsIsNamed() throws {
    var scene = Scene([waiting(), working(.data), waiting()])
    scene.pass(12)
    #expect(try #require(scene.vigil.finding).stuck == [1])
    #expect(try #require(scene.line).hasPrefix("rank 1 is stuck on a: no progress for 12 s"))
  }

  @Test func theWatcherNamesItself() throws {
    var scene = Scene([working(.forward), waiting(), waiting()])
    scene.pass(12)
    #expect(try #require(scene.vigil.finding).stuck == [0])
  }

  @Test func aSlowRankIsLeftAlone() {
    var scene = Scene([waiting(), working(.backward), waiting()])
    scene.pass(100, moving: [1])
    #expect(scene.line == nil)
  }

  @Test func nobodyWaitsNothingIsStuck() {
    var scene = Scene([working(.forward), working(.forward), working(.backward)])
    scene.pass(100)
    #expect(scene.line == nil)
  }

  /// One rank writes, the others wait for it.
  @Test(arguments: [Activity.Phase.saving, .sampling, .startUp])
  func longWorkOfOneRankHasTenTimesTheTime(phase: Activity.Phase) throws {
    var scene = Scene([working(phase), waiting(phase: phase), waiting(phase: phase)])
    scene.pass(99)
    #expect(scene.line == nil)
    scene.pass(3)
    #expect(try #require(scene.vigil.finding).stuck == [0])
  }

  /// Silence is no work, whatever was going on.
  @Test func aRankThatStopsInASaveHasNotTenTimesTheTime() throws {
    var scene = Scene([waiting(phase: .saving), working(.saving), waiting(phase: .saving)])
    scene.pass(2)
    scene.states[1] = nil
    scene.pass(11)
    #expect(try #require(scene.vigil.finding).stuck == [1])
  }

  @Test func aRankInAnEarlierOperationIsNamed() throws {
    var scene = Scene([waiting(8), waiting(8), waiting(7)])
    scene.pass(12)
    #expect(try #require(scene.vigil.finding).stuck == [2])
  }

  @Test func whereAllWaitNobodyIsNamed() throws {
    var scene = Scene([waiting(), waiting(), waiting()])
    scene.pass(12)
    #expect(try #require(scene.vigil.finding).stuck.isEmpty)
    #expect(try #require(scene.line).contains("none is missing: suspect the network"))
  }

  @Test func whereNobodyIsHeardTheWaitItselfTells() throws {
    var scene = Scene([waiting(), nil, nil])
    scene.pass(12)
    #expect(
      try #require(scene.line).hasPrefix(
        "a rank is stuck, and which one is not known: no heartbeat (UDP) ever came from ranks 1, 2;"
          + " rank 0 has waited"))
    // What the others may be doing is not known, but they do what this rank does.
    var saving = Scene([waiting(phase: .saving), nil, nil])
    saving.pass(99)
    #expect(saving.line == nil)
    saving.pass(3)
    #expect(saving.line != nil)
  }

  @Test func otherRanksLeaveItToTheWatchers() {
    var scene = Scene(rank: 2, [waiting(), working(.saving), waiting()])
    scene.pass(50)
    #expect(scene.line == nil)
    // Both watchers are gone.
    scene.states[0] = nil
    scene.states[1] = nil
    scene.pass(12)
    #expect(scene.vigil.finding?.stuck == [0, 1])
  }

  @Test func theyActOneAfterTheOther() {
    let reserves = (0..<3).map {
      StallDetector(rank: $0, hosts: ["a", "b", "c"], watchers: [0, 1], timeout: 10, batch: 1)
        .reserve
    }
    #expect(reserves[0] == 0 && reserves[1] >= 1 && reserves[2] >= reserves[1] + 1)
  }

  /// A batch system may stop a whole job for an hour and let it go on.
  @Test func aSuspendedJobGetsItsTimeAgain() {
    var scene = Scene([waiting(), working(.backward), waiting()])
    scene.pass(5)
    _ = scene.vigil.pass(seconds: 3600, own: waiting())
    #expect(scene.line == nil)
    scene.pass(20, moving: [0, 1, 2])
    #expect(scene.line == nil)
  }

  @Test func lateDatagramsAreNotBelieved() {
    var scene = Scene([waiting(), waiting(), waiting()])
    scene.pass(5)
    scene.vigil.note(Heartbeat(rank: 1, count: 2, state: working(.data), still: 0))
    scene.pass(7)
    #expect(scene.vigil.finding?.stuck == [])
  }

  @Test func manyRanksFitIntoALine() throws {
    var vigil = StallDetector(
      rank: 0, hosts: (0..<64).map { "n\($0)" }, watchers: [0, 1], timeout: 1, batch: 16)
    for count in 1..<30 {
      for rank in 1..<64 {
        let state = rank % 32 < 8 ? working(.forward) : waiting()
        vigil.note(Heartbeat(rank: rank, count: count, state: state, still: 0.1 * Double(count)))
      }
      _ = vigil.pass(seconds: 0.1, own: waiting())
    }
    let line = try #require(vigil.finding).line(timeout: 1)
    #expect(line.contains("rank 1 is stuck on n1") && line.contains("; ranks 4-7, 32-39 too;"))
    #expect(line.contains("ranks 0, 8-31, 40-63 have waited"))
  }
}
