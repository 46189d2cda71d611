import Checkpoints
import FixtureSupport
import Foundation
import ProcessSupport
import Testing

extension RefusalTests {
  /// Run directories, checkpoints and weights that cannot be used.
  @Suite("Bad state") struct BadStateTests {
    let scene: Scene
    let run: RunFolder

    /// A run with checkpoints at 32, 64 and 96 images.
    init() throws {
      scene = try Scene()
      run = RunFolder(scene, "run")
      try run.train("checkpoint.every=32")
    }

    private func training(_ settings: String..., options: [String] = []) throws -> Command {
      try Diffit.training(run.path, settings, options: options)
    }

    private func shard(_ images: Int) -> String {
      "run/checkpoints/\(CheckpointStore.name(images: images))/state-00000-of-00001.safetensors"
    }

    @Test func aCheckpointOfAnotherModel() throws {
      let before = try run.state(96)
      for force in [[], ["--force"]] {
        try expectRefusal(
          2, training("model.channels=32,32", options: force), saying: run.checkpoint(96),
          "model.channels was 16,32, is 32,32")
      }
      try expectRefusal(
        2, training("train.seed=7", "data.augment=0.5"), saying: "train.seed was 0, is 7",
        "data.augment was 0.12, is 0.5")
      #expect(try run.state(96) == before)
    }

    @Test func otherData() throws {
      try Pictures.writeFolder(scene.path("data"))
      let folder = RunFolder(scene, "pictures")
      let data = [
        "data.kind=folder", "data.path=\(scene.path("data"))", "model.classes=2",
        "train.images=32",
      ]
      try folder.train(data[0], data[1], data[2], data[3])
      try FileManager.default.removeItem(atPath: scene.path("data/dark/0.png"))
      try expectRefusal(
        2, Diffit.training(folder.path, data), saying: "data.content was")
    }

    @Test(arguments: [0, 2]) func aFlippedByteFallsBack(ranks: Int) throws {
      try scene.flipByte(shard(96), at: 100_000)
      try expectRefusal(
        1, training(options: ["--resume", run.checkpoint(96)]), saying: scene.path(shard(96)),
        "damaged", "checksum")
      let outcome = try training().onRanks(ranks).run()
      #expect(outcome.code == 0)
      #expect(outcome.complaints.count == 1, "\(outcome.errors)")
      #expect(outcome.errors.hasPrefix("warning: passed over: \(scene.path(shard(96)))"))
      #expect(outcome.output.contains("resumed from \(run.checkpoint(64))"))
      // The damaged one was written anew.
      let whole = RunFolder(scene, "whole")
      try whole.train()
      if ranks == 0 {
        try expectSameBits(run, whole, images: 96)
      } else {
        try expectSameLosses(run, whole)
      }
    }

    @Test func aTruncatedShardAndAnUnfinishedCheckpointFallBack() throws {
      let file = try FileHandle(forWritingTo: URL(fileURLWithPath: scene.path(shard(96))))
      try file.truncate(atOffset: 1000)
      try FileManager.default.removeItem(atPath: "\(run.checkpoint(64))/COMPLETE")
      let outcome = try training().run()
      #expect(outcome.code == 0)
      #expect(outcome.complaints.count == 2, "\(outcome.errors)")
      #expect(outcome.output.contains("resumed from \(run.checkpoint(32))"))
      #expect(try run.rows.map(\.images) == [16, 32, 48, 64, 80, 96])
    }

    @Test func noGoodCheckpointIsNoFreshStart() throws {
      for images in [32, 64, 96] { try scene.flipByte(shard(images), at: 5_000 + images) }
      let rows = try run.text("stats.jsonl")
      try expectRefusal(
        1, training(), saying: "no checkpoint can be used", scene.path(shard(32)),
        scene.path(shard(96)))
      for command in [["inspect"], ["export", "--out", scene.path("x.safetensors")]] {
        try expectRefusal(
          1, Diffit.command(command + [run.path]), saying: "no checkpoint can be used")
      }
      #expect(try run.text("stats.jsonl") == rows && run.checkpoints.count == 3)
    }

    @Test func startingAfreshWhereThereAreCheckpoints() throws {
      try expectRefusal(
        2, training(options: ["--resume", "never"]), saying: "3 checkpoints", "--run")
      try expectRefusal(
        1, training(options: ["--resume", scene.path("nothing")]), saying: scene.path("nothing"))
    }

    /// Below a regular file no user can write, not even root.
    @Test func anUnwritableRunDirectory() throws {
      try Data().write(to: URL(fileURLWithPath: scene.path("file")))
      try expectRefusal(
        1, Diffit.training(scene.path("file/run")), saying: scene.path("file/run"),
        "Not a directory")
    }

    @Test func twoJobsOnOneRunDirectory() throws {
      let second = try training("train.images=100k")
      let first = try second.run { running in
        try running.wait(until: "a row of its own") { try run.rows.count > 6 }
        try expectRefusal(1, second, saying: run.path, "another job", "--run")
        try running.signal(SIGTERM)
      }
      #expect(first.code == 64, "\(first.errors)")
    }

    @Test func weightsOfAnotherModel() throws {
      _ = try run.export()
      let weights = scene.path("run/raw.safetensors")
      func start(_ file: String, _ settings: String...) throws -> Command {
        try Diffit.training(scene.path("new"), settings, options: ["--init", file])
      }
      try expectRefusal(
        1, start(weights, "model.channels=32,32"), saying: weights, "not the weights of this model",
        "[16] where [32] is expected")
      try expectRefusal(1, start(scene.path("none")), saying: "No such file")
      try expectRefusal(
        1, start(Repository.debug), saying: "debug.yaml", "not a safetensors file")
      try expectRefusal(
        2,
        training(options: ["--init", weights, "--resume", run.checkpoint(32)]),
        saying: "--init", "--resume")
      #expect(!scene.exists("new"))
    }

    @Test func sampling() throws {
      let out = ["--seeds", "0-3", "--out", scene.path("out")]
      func sample(_ arguments: String...) throws -> Command {
        try Diffit.command(["sample"] + arguments + out)
      }
      try expectRefusal(1, sample(scene.path("none")), saying: "neither a checkpoint nor a run")
      try expectRefusal(
        1, sample(scene.path("run/config.yaml")), saying: "neither a checkpoint nor a run")
      try expectRefusal(2, sample(run.path, "--ema", "nosuch"), saying: "\"nosuch\"", "holds ema")
      try expectRefusal(2, sample(run.path, "--class", "10"), saying: "--class: 10", "0 to 9")
      #expect(!scene.exists("out"))
      try expectRefusal(
        1, sample(run.path, "--grid", scene.path("run/config.yaml/grid.png")),
        saying: "run/config.yaml", "cannot be written")
      #expect(scene.names(in: "out").isEmpty)
      try expectRefusal(
        2, Diffit.command(["export", run.path, "--ema", "nosuch", "--out", scene.path("x")]),
        saying: "\"nosuch\"")
      #expect(!scene.exists("x"))
    }
  }
}
