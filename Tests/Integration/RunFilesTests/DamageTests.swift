import Foundation
import ProcessSupport
import Testing

extension RunFilesTests {
  /// Files of a run that were damaged between two starts, or removed during one.
  @Suite("Damage") struct DamageTests {
    let scene: Scene

    init() throws { scene = try Scene() }

    private static let measuring = [
      "metrics.every=16", "metrics.names=loss", "metrics.samples=4", "metrics.best=loss",
      "checkpoint.keep=1",
    ]

    private func train(_ images: Int, _ settings: [String]) throws -> Outcome {
      let set = (["train.images=\(images)"] + settings).flatMap { ["--set", $0] }
      let outcome = try scene.training(options: set).run()
      try #require(outcome.code == 0, "\(outcome)")
      return outcome
    }

    @Test(arguments: ["", "{\"metric\": \"loss\", \"val", "[]", "{\"metric\":1}"])
    func theBestCheckpointSurvives(_ damage: String) throws {
      // A learning rate that makes every later checkpoint worse.
      _ = try train(48, Self.measuring + ["optimizer.lr=0"])
      let before = try scene.text("run/best.json")
      let best = try #require(
        try JSONSerialization.jsonObject(with: Data(before.utf8)) as? [String: Any])
      let name = try #require(best["checkpoint"] as? String)
      try scene.folder.write(damage, "run/best.json")
      let outcome = try train(96, Self.measuring + ["optimizer.lr=0"])
      #expect(outcome.errors.contains("best.json was damaged"), "\(outcome.errors)")
      #expect(outcome.errors.contains("written again from stats.jsonl: \(name)"))
      #expect(scene.checkpoints.contains(name), "\(scene.checkpoints)")
      #expect(try scene.text("run/best.json") == before)
    }

    @Test func rowsThatCannotBeRead() throws {
      _ = try train(48, [])
      let rows = try scene.text("run/stats.jsonl").split(separator: "\n")
      try scene.folder.write(
        "\(rows[0])\n\(rows[1].dropLast(20))\n\(rows[2])\n{\"ima", "run/stats.jsonl")
      let outcome = try train(64, [])
      #expect(
        outcome.errors.contains("stats.jsonl: 2 lines that could not be read"), "\(outcome.errors)")
      #expect(try scene.text("run/stats.jsonl").split(separator: "\n").count == 3)
    }

    @Test(arguments: [0, 2]) func statisticsAreMadeAgain(ranks: Int) throws {
      let metrics = ["metrics.every=16", "metrics.names=fd_random", "metrics.samples=4"]
      let data = [
        "data.kind=folder", "data.path=\(try scene.images())", "model.classes=0", "sample.steps=2",
      ]
      _ = try train(16, metrics + data)
      let names = try FileManager.default.contentsOfDirectory(atPath: scene.path("run/metrics"))
      let file = scene.path("run/metrics/\(try #require(names.first))")
      let whole = try Data(contentsOf: URL(fileURLWithPath: file))
      var damaged = whole
      damaged[whole.count / 2] ^= 1
      try damaged.write(to: URL(fileURLWithPath: file))
      let set = (["train.images=32"] + data + metrics).flatMap { ["--set", $0] }
      let outcome = try scene.training(options: set).onRanks(ranks).run()
      #expect(outcome.code == 0, "\(outcome)")
      #expect(outcome.errors.contains("made again, because it is damaged"), "\(outcome.errors)")
      #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == whole || ranks == 2)
    }

    @Test(arguments: ["remove", "rename", "replace"]) func aDirectoryThatIsGone(how: String) throws
    {
      let command = try scene.training(
        "train.images=1000000", "checkpoint.every=0", "log.every=16")
      let outcome = try command.run { running in
        try running.wait(until: "some steps") { running.output.contains("  loss ") }
        if how == "remove" {
          try FileManager.default.removeItem(atPath: scene.run)
        } else {
          try FileManager.default.moveItem(atPath: scene.run, toPath: scene.path("moved"))
        }
        if how == "replace" {
          try FileManager.default.copyItem(atPath: scene.path("moved"), toPath: scene.run)
        }
      }
      #expect(outcome.code == 1, "\(outcome)")
      #expect(
        outcome.errors.contains("\(scene.run): the run's directory was removed, renamed"),
        "\(outcome.errors)")
    }
  }
}
