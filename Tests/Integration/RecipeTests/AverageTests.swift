import FixtureSupport
import Foundation
import Testing

extension RecipeTests {
  /// Power-function averages, their snapshots, and averages that are made of them later.
  @Suite("Averages after the run") struct AverageTests {
    let scene: RecipeScene
    static let averages = [
      "ema=[{name: short, length: 0.05}, {name: long, length: 0.1}, {name: asked, length: 0.07}]",
      "checkpoint.snapshots=32", "train.images=320", "optimizer.warmup=32",
    ]

    init() throws { scene = try RecipeScene() }

    private func export(_ run: String, _ options: [String]) throws -> [String: [Float]] {
      let file = scene.folder.file("\(UUID().uuidString).safetensors")
      try scene.succeed(["export", scene.path(run), "--out", file.path] + options)
      return try RecipeScene.tensors(file)
    }

    private func distance(_ a: [String: [Float]], _ b: [String: [Float]]) -> Double {
      a.reduce(0) { sum, entry in
        sum + zip(entry.value, b[entry.key] ?? []).reduce(0) { $0 + Double(abs($1.0 - $1.1)) }
      }
    }

    /// Of two averages a third one is made, which the run followed as well.
    @Test func aLengthThatWasNotKept() throws {
      try scene.train("run", Self.averages)
      #expect(try names(in: scene.folder.file("run/averages")).count == 10)
      let (short, long) = (
        try export("run", ["--ema", "short"]), try export("run", ["--ema", "long"])
      )
      let asked = try export("run", ["--ema", "asked"])
      let made = try export("run", ["--ema-length", "0.07"])
      // `asked` is among the snapshots: it comes back but for rounding.
      #expect(distance(made, asked) < 1e-4 * distance(short, long))
      // Without it: from a run that kept only the two.
      let two = Self.averages[0].replacingOccurrences(of: ", {name: asked, length: 0.07}", with: "")
      try scene.train("two", [two] + Self.averages.dropFirst())
      let rebuilt = try export("two", ["--ema-length", "0.07"])
      #expect(distance(rebuilt, asked) < 0.2 * min(distance(short, asked), distance(long, asked)))
    }

    @Test func onAnyRanksAndInParts() throws {
      try scene.train("alone", Self.averages)
      let expected = try scene.state("alone")
      let snapshots = try names(in: scene.folder.file("alone/averages"))
      func expectSame(_ run: String) throws {
        #expect(try scene.state(run) == expected, "\(run)")
        #expect(try names(in: scene.folder.file("\(run)/averages")) == snapshots)
        for name in snapshots {
          let (a, b) = (
            try Data(contentsOf: scene.folder.file("alone/averages/\(name)")),
            try Data(contentsOf: scene.folder.file("\(run)/averages/\(name)"))
          )
          #expect(a == b, "\(run) \(name)")
        }
      }
      let sharded = Self.averages + ["parallel.shard_optimizer=true", "parallel.bucket_mb=0.02"]
      try scene.train("sharded", sharded, ranks: 4)
      try expectSame("sharded")
      try scene.train("parts", sharded + ["checkpoint.every=160"], ranks: 2)
      try FileManager.default.removeItem(
        atPath: scene.path("parts/checkpoints/images-000000000320"))
      // A snapshot of a future that the run no longer has.
      try FileManager.default.copyItem(
        at: scene.folder.file("parts/averages/images-000000000320.safetensors"),
        to: scene.folder.file("parts/averages/images-000000000304.safetensors"))
      try scene.train("parts", Self.averages)
      try expectSame("parts")
    }

    @Test func whatCannotBeMade() throws {
      try scene.train("plain", ["train.images=16"])
      func refusal(_ options: [String]) throws -> String {
        let outcome = try scene.run(
          ["export", scene.path("plain"), "--out", scene.path("x.safetensors")] + options)
        #expect(outcome.code == 2 && outcome.complaints.count == 1, "\(outcome.errors)")
        return outcome.errors
      }
      #expect(try refusal(["--ema-length", "0.1"]).contains("no entry of ema has a length"))
      #expect(try refusal(["--ema-length", "0.5"]).contains("0.001 to 0.28"))
      #expect(try refusal(["--ema-length", "0.1", "--ema", "ema"]).contains("no --ema beside it"))
      let outcome = try scene.run(scene.training("other", ["checkpoint.snapshots=16"]))
      #expect(outcome.code == 2 && outcome.errors.contains("checkpoint.snapshots"))
    }
  }
}
