import Foundation
import ProcessSupport
import Testing

extension RunFilesTests {
  /// Networks whose weights are no use any more.
  @Suite("Divergence") struct DivergenceTests {
    let scene: Scene

    init() throws { scene = try Scene() }

    @Test func imagesThatAreNotFinite() throws {
      let images = try scene.images()
      let training = try scene.training(
        "optimizer.lr=1e30", "sample.every=96", "sample.count=2", "sample.steps=2",
        "metrics.every=96", "metrics.names=fd_random", "metrics.samples=4",
        "metrics.reference=\(images)/a"
      ).run()
      try #require(training.code == 0, "\(training)")
      // Of its own accord it says what it is worth.
      #expect(training.errors.contains("5 of the run's 6 updates were left out"))
      #expect(training.errors.contains("the grid of raw is not what it should be"))
      #expect(training.errors.contains("metrics of samples are left out"))
      #expect(try !scene.text("run/stats.jsonl").contains("\"fd_random\""))

      let draw = ["--ema", "raw", "--steps", "2"]
      let sample = ["sample", scene.run, "--seeds", "4-7", "--out", scene.path("out")]
      let evaluate = [
        "evaluate", scene.run, "--metrics", "fd_random", "--samples", "4", "--reference",
        "\(images)/a",
      ]
      let what = ["is not finite", "weights (raw)", scene.checkpoint(96)]
      for command in [sample, evaluate] {
        try expectRefusal(
          1, Command([Command.product("diffit")] + command + draw), ranks: [0, 2], saying: what[0],
          what[1], what[2], command[0] == "sample" ? "seed 4" : "seed 0")
      }
      #expect(!scene.exists("out/000000/000004.png"))
      try expectRefusal(
        1,
        scene.diffit(
          "evaluate", scene.run, "--metrics", "loss", "--ema", "raw", "--samples", "4"),
        saying: "held-out loss is not finite", scene.checkpoint(96))
    }

    @Test func tooManyUpdatesInARow() throws {
      let good = try scene.training("train.images=48", "checkpoint.keep=2").run()
      try #require(good.code == 0, "\(good)")
      // The step after 48 images ruins the weights, and with two kept, the good ones would go.
      let ruin = try scene.training(
        "optimizer.lr=1e30", "optimizer.max_skipped=4", "train.images=320", "checkpoint.keep=2",
        options: ["--force"])
      let outcome = try ruin.run()
      #expect(outcome.code == 1, "\(outcome)")
      #expect(outcome.complaints.count { $0.contains("update skipped") } == 4)
      let said = try #require(outcome.complaints.last)
      #expect(said.contains("4 updates in a row were left out up to 128 images"))
      #expect(said.contains("--resume \(scene.checkpoint(48)) --force"))
      #expect(scene.checkpoints.contains("images-000000000048"), "\(scene.checkpoints)")
      // The count goes on: with one more allowed, the next skipped update ends the run.
      let more = try scene.training(
        "optimizer.lr=1e30", "optimizer.max_skipped=5", "train.images=320", "checkpoint.keep=2"
      ).run()
      #expect(more.code == 1 && more.errors.contains("5 updates in a row"), "\(more)")
      // And what the line says to do works.
      let back = try scene.training(
        "train.images=64", options: ["--resume", scene.checkpoint(48), "--force"]
      ).run()
      #expect(back.code == 0 && back.complaints.isEmpty, "\(back)")
    }

    @Test func neverWhereItIsZero() throws {
      let outcome = try scene.training(
        "optimizer.lr=1e30", "optimizer.max_skipped=0", "train.images=1024"
      ).run()
      #expect(outcome.code == 0, "\(outcome)")
      #expect(outcome.errors.contains("63 of the run's 64 updates"))
    }

    @Test func weightsThatAreNotFinite() throws {
      try #require(try scene.training().run().code == 0)
      let file = scene.path("weights.safetensors")
      try #require(try scene.diffit("export", scene.run, "--out", file).run().code == 0)
      var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
      bytes.replaceSubrange(bytes.count - 4..<bytes.count, with: [0, 0, 0xC0, 0x7F])
      try bytes.write(to: URL(fileURLWithPath: file))
      let command = try scene.training(options: ["--init", file, "--run", scene.path("other")])
      try expectRefusal(
        1, command, ranks: [0, 2], saying: file, "is not finite: element", "is nan")
      #expect(!scene.exists("other/checkpoints"))
    }
  }
}
