import Foundation
import InceptionSupport
import Testing

extension EndToEndTests {
  /// Metrics while a run trains.
  @Suite("Metrics during training") struct MetricsDuringTrainingTests {
    let scene: Scene

    init() throws { scene = try Scene() }

    private static let settings = [
      "metrics.every=32", "metrics.names=fd_random,loss", "metrics.samples=12",
      "sample.steps=3", "checkpoint.every=32",
    ]

    private func train(_ name: String, ranks: Int = 0, _ more: String...) throws -> RunFolder {
      let run = RunFolder(scene, name)
      let outcome = try Diffit.training(run.path, Self.settings + more).onRanks(ranks).run()
      try #require(outcome.code == 0, "\(outcome.errors)")
      return run
    }

    private func rows(_ run: RunFolder) throws -> [[String: Any]] {
      try run.text("stats.jsonl").split(separator: "\n").compactMap {
        try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
      }.filter { $0["metrics"] != nil }
    }

    private func values(_ name: String, _ run: RunFolder) throws -> [Double] {
      try rows(run).compactMap { ($0["metrics"] as? [String: Double])?[name] }
    }

    @Test func theRunGoesOnAsIfNothingHadHappened() throws {
      let plain = RunFolder(scene, "plain")
      try plain.train()
      let measured = try train("measured")
      try expectSameBits(measured, plain, images: 96)
      #expect(try rows(measured).compactMap { $0["images"] as? Int } == [32, 64, 96])
      let losses = try values("loss", measured)
      #expect(Set(losses).count == 3 && losses.allSatisfy { $0 > 0.05 && $0 < 5 })
      #expect(try values("fd_random", measured).allSatisfy { $0 > 0 })
      #expect(try measured.text("log.txt").contains("metrics of ema.ema: fd_random "))

      // Started again half way, and on other ranks, it measures the same.
      let resumed = try train("resumed", "train.images=48")
      #expect(try rows(resumed).compactMap { $0["images"] as? Int } == [32, 48])
      let again = try train("resumed")
      try expectSameBits(again, plain, images: 96)
      #expect(try Array(values("loss", again).suffix(2)) == Array(losses.suffix(2)))
      let sharded = try train("sharded", ranks: 2, "parallel.shard_optimizer=true")
      let close = zip(try values("loss", sharded), losses)
      #expect(close.allSatisfy { abs($0 - $1) < 1e-3 * $1 })
    }

    @Test func theBestCheckpointIsKept() throws {
      let run = try train("run", "metrics.best=loss", "checkpoint.keep=1", "checkpoint.every=16")
      let losses = try values("loss", run)
      let best = try #require(losses.indices.min { losses[$0] < losses[$1] })
      let kept = try #require(
        try JSONSerialization.jsonObject(with: Data(run.text("best.json").utf8)) as? [String: Any])
      #expect(kept["images"] as? Int == 32 * (best + 1))
      #expect(kept["value"] as? Double == losses[best] && kept["metric"] as? String == "loss")
      let name = try #require(kept["checkpoint"] as? String)
      #expect(Set(run.checkpoints).isSuperset(of: [name]))
      #expect(Set(run.checkpoints) == [name, "images-000000000096"])
    }

    @Test func aMeasurementThatWasCutShortIsMadeUpFor() throws {
      let run = try train("run")
      let lines = try run.text("stats.jsonl").split(separator: "\n")
      let last = try #require(lines.last)
      #expect(last.contains("\"metrics\""))
      let rest = lines.dropLast().map { $0 + "\n" }.joined()
      try Data(rest.utf8).write(to: URL(fileURLWithPath: "\(run.path)/stats.jsonl"))
      _ = try train("run")
      let again = try #require(try run.text("stats.jsonl").split(separator: "\n").last)
      func numbers(_ line: Substring) throws -> [String: Double]? {
        (try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])?["metrics"]
          as? [String: Double]
      }
      #expect(try numbers(again) == numbers(last))
      // Nothing is measured twice.
      _ = try train("run")
      #expect(try rows(run).count == 3)
    }

    /// Statistics of the training data are kept where there are those of the last layer, and used again.
    @Test func referencesAreKept() throws {
      try Pictures.writeFolder(scene.path("pictures"))
      let data = [
        "data.kind=folder", "data.path=\(scene.path("pictures"))", "model.classes=0",
        "train.images=16", "metrics.every=16", "metrics.samples=3", "sample.steps=2",
        "metrics.features=\(try RandomInception.file.get().path)",
      ]
      func train(_ name: String, _ metrics: String, ranks: Int) throws -> RunFolder {
        let run = RunFolder(scene, name)
        let outcome = try Diffit.training(run.path, data + ["metrics.names=\(metrics)"])
          .onRanks(ranks).run()
        try #require(outcome.code == 0, "\(outcome.errors)")
        return run
      }
      let without = try train("without", "sfid,is_adm", ranks: 2)
      #expect(!scene.exists("without/metrics"))
      let numbers = try #require(try rows(without).first?["metrics"] as? [String: Double])
      #expect(Set(numbers.keys) == ["sfid", "is_adm_mean", "is_adm_std"])

      let run = try train("run", "fid,fd_random", ranks: 0)
      #expect(scene.names(in: "run/metrics").count == 2)
      let first = try #require(try rows(run).first?["metrics"] as? [String: Double])
      // Made again without its row, the measurement reads what was kept.
      let lines = try run.text("stats.jsonl").split(separator: "\n").filter {
        !$0.contains("\"metrics\"")
      }
      try Data(lines.map { $0 + "\n" }.joined().utf8)
        .write(to: URL(fileURLWithPath: "\(run.path)/stats.jsonl"))
      let again = try train("run", "fid,fd_random", ranks: 2)
      let second = try #require(try rows(again).first?["metrics"] as? [String: Double])
      for (name, value) in first {
        #expect(abs((second[name] ?? 0) - value) < 1e-6 * value, "\(name)")
      }
    }

    @Test func refusedBeforeTheRunIsTouched() throws {
      let path = scene.path("run")
      for (setting, part) in [
        ("metrics.names=fid", "convert-inception.py"), ("metrics.names=fud", "fd_random"),
        ("metrics.best=kid_mean", "metrics.names give"), ("metrics.protocol=x", "tf1, clean"),
      ] {
        try expectRefusal(2, Diffit.training(path, ["metrics.every=32", setting]), saying: part)
      }
      try expectRefusal(
        1, Diffit.training(path, ["metrics.every=32", "metrics.reference=nowhere"]),
        saying: "nowhere")
      try expectRefusal(
        1, Diffit.training(path, ["metrics.every=32", "metrics.samples=1"]),
        saying: "expected at least 2")
      #expect(!scene.exists("run"))
    }
  }
}
