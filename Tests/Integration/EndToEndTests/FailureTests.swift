import Foundation
import ProcessSupport
import Testing

extension EndToEndTests {
  /// Ranks that die, and numbers that are not finite.
  @Suite("Failure") struct FailureTests {
    let scene: Scene
    let run: RunFolder
    /// Saved at once, so that what there is at a death is known.
    private let settings = [
      "checkpoint.every=16", "checkpoint.keep=9", "train.images=128", "checkpoint.async=false",
    ]

    init() throws {
      scene = try Scene()
      run = RunFolder(scene, "run")
    }

    private func start(_ fault: String?, _ settings: [String], ranks: Int = 2) throws -> Outcome {
      try Diffit.training(run.path, settings).onRanks(ranks).faulty(fault, in: scene).run()
    }

    private var leftovers: Int { run.checkpoints.count { $0.hasPrefix(".") } }

    /// One run that loses a rank four times: each in training, each in a save.
    @Test func killedRanksCostNothingButTime() throws {
      let deaths = [
        (fault: "kill@images=48,rank=1", from: nil, newest: 48, leavesSave: false),
        (fault: "kill-in-save@images=80,rank=0", from: 48, newest: 64, leavesSave: true),
        (fault: "kill-in-save@images=96,rank=1", from: 64, newest: 80, leavesSave: true),
        (fault: "kill@images=112,rank=0", from: 80, newest: 112, leavesSave: false),
      ]
      for death in deaths {
        let began = Date()
        let outcome = try start(death.fault, settings)
        #expect(outcome.code == 137, "\(death): \(outcome.errors)")
        #expect(Date().timeIntervalSince(began) < 12, "\(death)")
        if let from = death.from {
          #expect(
            outcome.output.contains("resumed from \(run.checkpoint(from)) "), "\(outcome.output)")
        }
        #expect(run.checkpoints.last == "images-\(String(format: "%012d", death.newest))")
        #expect((leftovers > 0) == death.leavesSave, "\(death): \(run.checkpoints)")
      }
      let last = try start(nil, settings)
      #expect(last.code == 0 && last.errors.isEmpty, "\(last.errors)")
      #expect(last.output.contains("resumed from \(run.checkpoint(112)) "))
      #expect(leftovers == 0)

      let whole = RunFolder(scene, "whole")
      try whole.train(settings[0], settings[1], settings[2], settings[3], ranks: 2)
      try expectSameBits(run, whole, images: 128)
    }

    /// Whichever rank it is, all leave the update out, and so end with the same state.
    @Test func notFiniteOnOneRankIsSkippedByAll() throws {
      var states: [[String: [Float]]] = []
      for rank in 0..<2 {
        let run = RunFolder(scene, "rank-\(rank)")
        let outcome = try Diffit.training(run.path).onRanks(2)
          .faulty("nan@images=32,rank=\(rank)", in: scene).run()
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(
          outcome.errors
            == "warning: the loss or a gradient is not finite at 48 images: update skipped"
            + " (1 so far)\n")
        #expect(try run.rows.map(\.skipped) == [0, 0, 1, 1, 1, 1])
        states.append(try run.state(96))
      }
      #expect(states[0] == states[1])
      #expect(states[0].values.allSatisfy { $0.allSatisfy(\.isFinite) })
    }

    @Test func notFiniteOnOneRankStopsAll() throws {
      let outcome = try start("nan@images=32,rank=1", ["optimizer.on_nonfinite=stop"])
      #expect(outcome.code == 1)
      #expect(outcome.complaints.count == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains("not finite after 48 images"), "\(outcome.errors)")
      #expect(outcome.errors.contains("on_nonfinite is stop"))
      #expect(run.checkpoints.isEmpty)
    }

    @Test(arguments: [0, 2]) func aMalformedFaultIsRefused(ranks: Int) throws {
      let outcome = try start("explode@images=1", [], ranks: ranks)
      #expect(outcome.code == 2 && outcome.complaints.count == 1, "\(outcome)")
      #expect(outcome.errors.contains("DIFFIT_TEST_FAULT 'explode@images=1': expected stop, kill"))
      #expect(!scene.exists("run"))
    }
  }

  /// Full and read-only disks.
  @Suite("Disks", .enabled(if: SmallDisk.isPossible, "a tmpfs cannot be mounted here (needs root)"))
  struct DiskTests {
    let scene: Scene
    let run: RunFolder
    private let settings = ["checkpoint.every=32", "checkpoint.keep=9"]

    init() throws {
      scene = try Scene()
      run = RunFolder(scene, "run")
    }

    private func start() throws -> Outcome {
      try Diffit.training(run.path, settings).onRanks(2).faulty(nil, in: scene).run()
    }

    /// Expects one line about a file and why, with older checkpoints as they were and no rest of the new.
    private func expectRefusal(
      _ outcome: Outcome, naming file: String, reason: String,
      at location: SourceLocation = #_sourceLocation
    ) throws {
      #expect(outcome.code == 1, "\(outcome)", sourceLocation: location)
      #expect(outcome.complaints.count == 1, "\(outcome.errors)", sourceLocation: location)
      for part in ["\(run.path)/checkpoints/\(file)", reason] {
        #expect(
          outcome.errors.contains(part), "\(part) not in \(outcome.errors)",
          sourceLocation: location)
      }
      #expect(run.checkpoints == ["images-000000000032"], sourceLocation: location)
    }

    @Test func aFullDisk() throws {
      let whole = RunFolder(scene, "whole")
      try whole.train(settings[0], settings[1], ranks: 2)
      let size = try FileManager.default.contentsOfDirectory(atPath: whole.checkpoint(32))
        .map { try Data(contentsOf: URL(fileURLWithPath: "\(whole.checkpoint(32))/\($0)")).count }
        .reduce(0, +)

      // Room for one and a half.
      let disk = try SmallDisk(at: "\(run.path)/checkpoints", kilobytes: size * 3 / 2 / 1024)
      let first = try start()
      try expectRefusal(
        first, naming: ".images-000000000064.tmp/state-0000", reason: "No space left on device")
      #expect(try run.state(32) == whole.state(32))
      // Again, from where it is: the same end, and no harm.
      let second = try start()
      #expect(second.output.contains("resumed from \(run.checkpoint(32)) "))
      try expectRefusal(
        second, naming: ".images-000000000064.tmp/state-0000", reason: "No space left on device")
      try disk.change("size=\(size * 5 / 1024)k")
      let third = try start()
      #expect(third.code == 0, "\(third.errors)")
      try expectSameBits(run, whole, images: 96)
    }

    @Test func aReadOnlyDisk() throws {
      let disk = try SmallDisk(at: "\(run.path)/checkpoints", kilobytes: 1 << 16)
      try run.train("train.images=32", settings[0], settings[1], ranks: 2)
      try disk.change("ro")
      try expectRefusal(try start(), naming: ".images-000000000064.tmp", reason: "Read-only file")
      try disk.change("rw")
      let last = try start()
      #expect(last.code == 0, "\(last.errors)")
      let whole = RunFolder(scene, "whole")
      try whole.train(settings[0], settings[1], ranks: 2)
      try expectSameBits(run, whole, images: 96)
    }
  }
}
