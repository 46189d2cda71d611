import FixtureSupport
import Foundation
import ProcessSupport
import Testing

extension EndToEndTests {
  /// The commands beside `train`.
  @Suite("Commands") struct CommandTests {
    let scene: Scene

    init() throws { scene = try Scene() }

    private func json(_ text: String) throws -> [String: Any] {
      try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    /// Release, commit and kernels: what manifests and reports say of the program too.
    @Test func version() throws {
      let outcome = try Diffit.run("--version")
      #expect(outcome.code == 0 && outcome.errors.isEmpty && outcome.lines.count == 1)
      let form = /diffit \d+\.\d+\.\d+ \(commit ([0-9a-f]{7}|unknown), kernels \w+\)/
      let build = try #require(outcome.lines.first)
      #expect(build.wholeMatch(of: form) != nil, "\(build)")

      let run = RunFolder(scene, "run")
      try run.train("train.images=16")
      let found = try json(Diffit.run("inspect", run.path, "--json", "-").output)
      #expect(found["build"] as? String == String(build))
      let measured = try Diffit.run(
        "evaluate", run.path, "--metrics", "loss", "--samples", "16", "--json", "-")
      #expect(try json(measured.output)["build"] as? String == String(build))
    }

    @Test func inspect() throws {
      let run = RunFolder(scene, "run")
      try run.train("train.images=32", ranks: 2)
      let text = try Diffit.run("inspect", run.path)
      #expect(text.code == 0 && text.errors.isEmpty)
      #expect(text.lines.count { $0.hasPrefix("state-") && $0.hasSuffix("verified") } == 2)
      #expect(text.output.contains("images seen  32, written by 2 ranks"))
      let found = try json(Diffit.run("inspect", run.path, "--json", "-").output)
      #expect(found["verified"] as? Bool == true && found["images_seen"] as? Int == 32)
      #expect((found["config"] as? [String: String])?["train.batch"] == "16")
      #expect((found["tensors"] as? [[String: Any]])?.count == 66)

      _ = try run.export()
      let file = try json(
        Diffit.run("inspect", "\(run.path)/raw.safetensors", "--json", "-").output)
      let shapes = (file["tensors"] as? [[String: Any]])?.compactMap { $0["shape"] as? [Int] }
      #expect(shapes?.map { $0.reduce(1, *) }.reduce(0, +) == 55_319)
    }

    /// The bytes are a function of names and weights: who wrote the checkpoint does not show.
    @Test func exportAndStartFromIt() throws {
      let one = RunFolder(scene, "one")
      try one.train()
      // Two ranks that only take the run over write it as two shards.
      let two = RunFolder(scene, "two")
      try two.train(ranks: 2, options: ["--resume", one.path])
      #expect(try FileManager.default.contentsOfDirectory(atPath: two.checkpoint(96)).count == 4)
      for ema in [nil, "ema"] { #expect(try one.export(ema: ema) == two.export(ema: ema)) }

      // With warm-up the first step's rate is 0: a run of one step still has the weights it began with.
      let weights = ["--init", "\(one.path)/ema.safetensors"]
      for ranks in [0, 2] {
        let new = RunFolder(scene, "new-\(ranks)")
        try new.train("train.images=16", "train.seed=5", ranks: ranks, options: weights)
        #expect(try new.export() == one.export(ema: "ema"))
        #expect(try new.export(ema: "ema") == one.export(ema: "ema"))
        #expect(try new.text("log.txt").contains("weights from \(weights[1]), fresh optimiser"))
      }
    }

    @Test func parity() throws {
      let golden = Repository.path("Tests/Reference/window-shrinks.safetensors")
      let good = try Diffit.run("parity", golden, "--json", scene.path("parity.json"))
      #expect(good.code == 0 && good.errors.isEmpty, "\(good.errors)")
      #expect(good.lines.last?.hasPrefix("passed: ") == true)
      let found = try json(scene.text("parity.json"))
      #expect(Set(found.keys) == ["outputs", "gradients", "worst", "passed"])
      #expect(found["passed"] as? Bool == true && found["worst"] as? Double ?? 1 < 1e-4)
      #expect((found["outputs"] as? [String: Double])?.keys.sorted() == ["denoised", "loss"])

      let bad = try Diffit.run("parity", golden, "--tolerance", "1e-12", "--json", "-")
      #expect(bad.code == 1 && bad.complaints.count == 1, "\(bad.errors)")
      #expect(try json(bad.output)["passed"] as? Bool == false)
      let none = try Diffit.run("parity", Repository.debug)
      #expect(none.code == 1 && none.complaints.count == 1)
      #expect(try Diffit.run("parity", golden, ranks: 2).output == good.output)
    }

    @Test func bench() throws {
      let outcome = try Diffit.run(
        "bench", "--config", Repository.debug, "--batch", "4", "--images", "8", "--threads", "1",
        "--json", "-")
      #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
      let found = try json(outcome.output)
      #expect(found["precision"] as? String == "fp32" && found["threads"] as? Int == 1)
      #expect(found["batch"] as? Int == 4 && found["peak_rss_bytes"] as? Int ?? 0 > 1 << 20)
      for key in ["train_images_per_second", "sample_images_per_second", "gflops_per_second"] {
        #expect(found[key] as? Double ?? 0 > 0, "\(key)")
      }
      let step = try #require(found["train_step_seconds"] as? [String: Double])
      let (least, middle, most) = (step["min"] ?? 0, step["median"] ?? 0, step["max"] ?? 0)
      #expect(0 < least && least <= middle && middle <= most)
      let peaks = try #require(found["peaks"] as? [String: Double])
      #expect(peaks.count == 3 && peaks.values.allSatisfy { $0 > 0 })
      try expectRoofline(found["operators"], found["train_roofline"], gradients: true)
      try expectRoofline(found["sampling_operators"], found["sampling_roofline"], gradients: false)
    }

    /// Every operator has its figures, and together they are the step but for the rest.
    private func expectRoofline(_ operators: Any?, _ total: Any?, gradients: Bool) throws {
      let rows = try #require(operators as? [[String: Any]])
      let total = try #require(total as? [String: Double])
      for row in rows {
        for key in ["calls", "seconds", "share_of_step", "share_of_peak"] {
          #expect(row[key] as? Double ?? 0 > 0, "\(key) of \(row)")
        }
        #expect(
          (row["bound"] as? String == "memory") || row["gflops_per_second"] as? Double ?? 0 > 0)
      }
      let names = rows.compactMap { $0["name"] as? String }
      #expect(Set(names).count == rows.count && names.contains { $0.hasPrefix("convolution") })
      #expect(names.contains { $0.hasSuffix("gradient") } == gradients)
      let seconds = rows.compactMap { $0["seconds"] as? Double }
      #expect(seconds == seconds.sorted(by: >))
      let (all, rest) = (total["seconds"] ?? 0, total["rest_seconds"] ?? -1)
      // No operator is counted inside another.
      #expect(rest >= 0 && abs(seconds.reduce(rest, +) - all) < 1e-3 * all)
      #expect(total["least_seconds"] ?? 0 > 0)
    }

    @Test func doctorUnderMpirun() throws {
      let outcome = try Diffit.run("doctor", "--json", "-", ranks: 2)
      #expect(outcome.code == 0, "\(outcome.errors)")
      #expect(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) is [String: Any])
      let text = try Diffit.run("doctor", ranks: 2)
      #expect(text.output.contains("rank 0 on ") && text.output.contains("rank 1 on "))
    }

    /// Neither data nor memory nor MPI are needed.
    @Test func dryRun() throws {
      let arguments = [
        "train", "--config", "\(Repository.root)/configs/cifar10.yaml", "--dry-run", "--run",
        scene.path("run"),
      ]
      for ranks in [0, 2] {
        let outcome = try Diffit.command(arguments + ["--set", "data.augment=0"])
          .onRanks(ranks).run()
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
        #expect(outcome.output.contains("# parameters           28684803\n"))
        #expect(outcome.lines.count { $0.contains("parameters") } == 1)
        #expect(outcome.output.contains("\n  batch: 512\n"))
      }
      // The 9 augmentation labels add 9 x 128 weights.
      let augmented = try Diffit.command(arguments).run()
      #expect(augmented.output.contains("# parameters           28685955\n"))
      #expect(!scene.exists("run"))
    }
  }
}
