import Foundation
import Testing

extension EndToEndTests {
  /// A run that was left and taken up again is the run that was never left.
  @Suite("Resuming") struct ResumeTests {
    let scene: Scene

    init() throws { scene = try Scene() }

    @Test(arguments: [0, 2]) func aRunInTwoPartsIsTheRunInOne(ranks: Int) throws {
      let (whole, parts) = (RunFolder(scene, "whole"), RunFolder(scene, "parts"))
      let grids = ["sample.every=48", "sample.count=5", "sample.steps=2"]
      try whole.train(grids[0], grids[1], grids[2], ranks: ranks)
      try parts.train(grids[0], grids[1], grids[2], "train.images=48", ranks: ranks)
      #expect(parts.checkpoints == ["images-000000000048"])
      try parts.train(grids[0], grids[1], grids[2], ranks: ranks)
      #expect(try parts.text("log.txt").contains("resumed from \(parts.checkpoint(48)) (48 images"))
      try expectSameBits(parts, whole, images: 96)
      for images in [48, 96] {
        for kind in ["raw", "ema"] {
          #expect(try parts.sample(images, kind) == whole.sample(images, kind))
        }
      }
    }

    /// In bf16 too, on other numbers of threads, and with activations computed again after the stop: none
    /// of these shows in the bits.
    @Test func halfPrecisionInTwoParts() throws {
      let (whole, parts) = (RunFolder(scene, "whole"), RunFolder(scene, "parts"))
      let half = "train.precision=bf16"
      try whole.train(half, "sample.every=96", "sample.count=5", "sample.steps=2", ranks: 2)
      try parts.train(half, "train.images=48", "train.threads=2", ranks: 2)
      try parts.train(
        half, "train.recompute=true", "sample.every=96", "sample.count=5", "sample.steps=2",
        ranks: 2)
      try expectSameBits(parts, whole, images: 96)
      #expect(try parts.sample(96, "ema") == whole.sample(96, "ema"))
      let header = try whole.text("log.txt")
      #expect(header.contains(", bf16;"))
      // A run keeps its precision.
      let other = try Diffit.training(parts.path, ["train.precision=fp32"], options: []).run()
      #expect(other.code == 2 && other.errors.contains("train.precision was bf16, is fp32"))
    }

    /// Seven images, batches of 16: every step spans epochs, and the stop is inside of one.
    @Test func aStopInTheMiddleOfAnEpoch() throws {
      try Pictures.writeFolder(scene.path("data"))
      let data = ["data.kind=folder", "data.path=\(scene.path("data"))", "model.classes=2"]
      let (whole, parts) = (RunFolder(scene, "whole"), RunFolder(scene, "parts"))
      try whole.train(data[0], data[1], data[2], ranks: 2)
      try parts.train(data[0], data[1], data[2], "train.images=32", ranks: 2)
      try parts.train(data[0], data[1], data[2], ranks: 2)
      try expectSameBits(parts, whole, images: 96)
      let epochs = try parts.rows.map(\.epoch)
      #expect(abs(epochs[1] - 32.0 / 7) < 1e-9 && abs(epochs[5] - 96.0 / 7) < 1e-9)
    }

    /// A run may be continued on more or fewer ranks than it was begun on.
    @Test(arguments: [(4, 2), (2, 4), (0, 3), (3, 0)])
    func anotherNumberOfRanks(before: Int, after: Int) throws {
      let (whole, parts) = (RunFolder(scene, "whole"), RunFolder(scene, "parts"))
      try whole.train()
      try parts.train("train.images=48", ranks: before)
      try parts.train(ranks: after)
      try expectSameLosses(parts, whole)
      try expectSameWeights(parts.tensors(), whole.tensors())
      let shards = try FileManager.default.contentsOfDirectory(atPath: parts.checkpoint(96))
      #expect(shards.count { $0.hasPrefix("state-") } == max(after, 1))
    }

    /// The micro-batch is chosen once; a run on fewer ranks keeps the choice.
    @Test func aChosenMicroBatchIsKept() throws {
      let run = RunFolder(scene, "run")
      try run.train("train.images=48", "train.micro_batch=0", ranks: 4)
      let chosen = try #require(
        try run.text("config.yaml").split(separator: "\n").last)
      #expect(chosen.hasPrefix("# Chosen at the last start: train.micro_batch "))
      try run.train("train.micro_batch=0")
      #expect(try run.text("config.yaml").contains(chosen))
    }

    /// Rows past the checkpoint that a run goes on from are written again, not twice.
    @Test func aKilledRunGoesOnFromItsLastCheckpoint() throws {
      let run = RunFolder(scene, "run")
      let settings = ["train.images=100k", "checkpoint.every=64"]
      let killed = try Diffit.training(run.path, settings).onRanks(2).run { running in
        try running.wait(until: "a checkpoint and rows past it") {
          try run.checkpoints.contains("images-000000000064") && (run.rows.last?.images ?? 0) > 100
        }
        for rank in try running.children(of: running.processID).suffix(1) { kill(rank, SIGKILL) }
      }
      #expect(killed.code == 137, "\(killed.errors)")
      let reached = try #require(run.checkpoints.filter { !$0.hasPrefix(".") }.last)
      let images = try #require(Int(reached.dropFirst(7)))
      let end = images + 48
      try run.train("train.images=\(end)", "checkpoint.every=64", ranks: 2)
      #expect(try run.rows.map(\.images) == Array(stride(from: 16, through: end, by: 16)))
      let whole = RunFolder(scene, "whole")
      try whole.train("train.images=\(end)", ranks: 2)
      try expectSameBits(run, whole, images: end)
    }

    @Test func aRunKilledInsideOfASave() throws {
      let run = RunFolder(scene, "run")
      let settings = ["train.images=100k", "checkpoint.every=16"]
      let killed = try Diffit.training(run.path, settings).onRanks(2).run { running in
        try running.wait(until: "a save that has begun") {
          run.checkpoints.count > 2 && run.checkpoints.contains { $0.hasSuffix(".tmp") }
        }
        for rank in try running.children(of: running.processID) { kill(rank, SIGKILL) }
      }
      #expect(killed.code == 137, "\(killed.errors)")
      let end = try #require(run.rows.last).images + 16
      try run.train("train.images=\(end)", "checkpoint.every=16", ranks: 2)
      #expect(run.checkpoints.count == 3 && run.checkpoints.allSatisfy { !$0.hasPrefix(".") })
      #expect(try run.rows.map(\.images) == Array(stride(from: 16, through: end, by: 16)))
    }

    @Test func anOlderCheckpointOnRequest() throws {
      let run = RunFolder(scene, "run")
      try run.train("checkpoint.every=16", "checkpoint.keep=10")
      let whole = try run.state(96)

      // The newer ones stand in the way, unless they may go or the run goes on elsewhere.
      let older = ["--resume", run.checkpoint(48)]
      let refused = try Diffit.training(run.path, [], options: older).run()
      #expect(refused.code == 2 && refused.complaints.count == 1, "\(refused.errors)")
      #expect(refused.errors.contains("up to images-000000000096"))
      #expect(run.checkpoints.count == 6)

      let branch = RunFolder(scene, "branch")
      try branch.train(options: older)
      #expect(branch.checkpoints == ["images-000000000096"])
      #expect(try branch.state(96) == whole)
      #expect(try branch.rows.map(\.images) == [64, 80, 96])

      try run.train("checkpoint.every=16", "checkpoint.keep=1", options: older + ["--force"])
      #expect(run.checkpoints == ["images-000000000096"])
      #expect(try run.state(96) == whole)
      #expect(try run.rows.map(\.images) == [16, 32, 48, 64, 80, 96])
    }
  }
}
