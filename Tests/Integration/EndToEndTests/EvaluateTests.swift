import FileFormats
import FixtureSupport
import Foundation
import Images
import ProcessSupport
import Testing

extension EndToEndTests {
  /// `diffit evaluate` and `diffit data stats`.
  @Suite("Measuring") struct EvaluateTests {
    let scene: Scene
    let run: RunFolder

    init() throws {
      scene = try Scene()
      run = RunFolder(scene, "run")
      try run.train("train.images=48")
      try Pictures.writeShapes(scene.path("shapes"), 0..<120)
    }

    private func evaluate(_ target: String, ranks: Int = 0, _ more: String...) throws -> [String:
      Any]
    {
      let outcome = try Diffit.command(["evaluate", target, "--json", "-"] + more)
        .onRanks(ranks).run()
      try #require(outcome.code == 0, "\(outcome.errors)")
      return try #require(
        try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    }

    private func value(_ name: String, _ report: [String: Any]) throws -> Double {
      try #require((report["metrics"] as? [String: Double])?[name])
    }

    @Test func theHeldOutLossIsTheSameOnAnyRanks() throws {
      let alone = try evaluate(run.path, "--metrics", "loss", "--samples", "40")
      let loss = try value("loss", alone)
      #expect(loss > 0.1 && loss < 3)
      let detail = try #require(alone["loss"] as? [String: Any])
      #expect(detail["images"] as? Int == 40)
      let levels = try #require(detail["by_noise_level"] as? [[String: Any]])
      #expect(levels.compactMap { $0["images"] as? Int }.reduce(0, +) == 40)
      for (ranks, batch) in [(2, "16"), (4, "3")] {
        let other = try evaluate(
          run.path, ranks: ranks, "--metrics", "loss", "--samples", "40", "--batch", batch)
        #expect(try value("loss", other) == loss)
      }
      let raw = try evaluate(run.path, "--metrics", "loss", "--samples", "40", "--ema", "raw")
      #expect(try value("loss", raw) != loss)
    }

    /// What is drawn for a measurement is what `sample` writes.
    @Test func samplesFilesAndArchivesMeasureTheSame() throws {
      let reference = ["--reference", scene.path("shapes")]
      func measure(_ target: String, ranks: Int, _ more: [String]) throws -> [String: Any] {
        let outcome = try Diffit.command(
          ["evaluate", target, "--json", "-"] + reference + more
        ).onRanks(ranks).run()
        try #require(outcome.code == 0, "\(outcome.errors)")
        return try #require(
          try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
      }
      let drawn = try measure(
        run.path, ranks: 2, ["--samples", "20", "--steps", "3", "--batch", "7"])
      let expected = try value("fd_random", drawn)
      #expect(expected > 0)
      #expect(drawn["seeds"] as? String == "0-19" && drawn["samples"] as? Int == 20)
      #expect((drawn["drawing"] as? [String: Any])?["steps"] as? Int == 3)
      #expect(drawn["reference_images"] as? Int == 120)
      #expect((drawn["warnings"] as? [String])?.contains { $0.contains("2048") } == true)
      for name in ["out", "out.zip", "out.npz"] {
        let sampled = try Diffit.run(
          "sample", run.path, "--seeds", "0-19", "--steps", "3", "--out", scene.path(name))
        try #require(sampled.code == 0, "\(sampled.errors)")
        let found = try measure(scene.path(name), ranks: name == "out" ? 3 : 0, [])
        let difference = abs(try value("fd_random", found) - expected)
        #expect(difference < 1e-9 * expected, "\(name)")
        #expect((found["drawing"] as? [String: Any] != nil) == (name == "out"))
      }
      let same = try measure(scene.path("shapes"), ranks: 0, [])
      #expect(abs(try value("fd_random", same)) < 1e-6 * expected)
    }

    @Test func statisticsReplaceTheImages() throws {
      let stats = scene.path("stats.npz")
      let made = try Diffit.run("data", "stats", scene.path("shapes"), "--out", stats, ranks: 2)
      try #require(made.code == 0, "\(made.errors)")
      #expect(made.output.contains("120 images") && made.output.hasSuffix("wrote \(stats)\n"))
      try Pictures.writeShapes(scene.path("others"), 500..<560)
      let byImages = try evaluate(
        scene.path("others"), "--reference", scene.path("shapes"))
      let byStatistics = try evaluate(scene.path("others"), ranks: 2, "--reference", stats)
      let (one, two) = (try value("fd_random", byImages), try value("fd_random", byStatistics))
      #expect(one > 0 && abs(one - two) < 1e-9 * one)
    }

    @Test func repeatsAreRangesOfImages() throws {
      let report = try evaluate(
        scene.path("shapes"), "--reference", scene.path("shapes"), "--samples", "30",
        "--repeats", "3")
      let spread = try #require(
        (report["spread"] as? [String: [String: Double]])?["fd_random"])
      let (least, mean, most) = (spread["min"] ?? 0, spread["mean"] ?? 0, spread["max"] ?? 0)
      #expect(0 < least && least < mean && mean < most)
      let first = try evaluate(
        scene.path("shapes"), "--reference", scene.path("shapes"), "--samples", "30")
      let alone = try value("fd_random", first)
      #expect(alone >= least && alone <= most)
      let text = try Diffit.run(
        "evaluate", scene.path("shapes"), "--reference", scene.path("shapes"), "--samples", "30",
        "--repeats", "3")
      #expect(text.code == 0 && text.output.contains("fd_random"), "\(text)")
      #expect(text.lines.contains { $0.hasPrefix("metric") && $0.hasSuffix("max") })
    }
  }
}

extension RefusalTests {
  /// What `evaluate` cannot measure.
  @Suite("Measuring the impossible") struct EvaluateRefusals {
    let scene: Scene

    init() throws { scene = try Scene() }

    private func evaluate(_ arguments: String...) throws -> Command {
      try Diffit.command(["evaluate"] + arguments)
    }

    @Test func metricsAndFeatures() throws {
      try Pictures.writeShapes(scene.path("a"), 0..<4)
      let a = scene.path("a")
      try expectRefusal(
        2, evaluate(a, "--metrics", "fid"), saying: "--metrics fid", "convert-inception.py")
      try expectRefusal(2, evaluate(a, "--metrics", "fud"), saying: "--metrics fud", "fd_random")
      try expectRefusal(2, evaluate(a, "--metrics", "loss"), saying: "a run or a checkpoint")
      try expectRefusal(2, evaluate(a), saying: "--reference: none")
      try expectRefusal(
        1, evaluate(a, "--reference", a, "--samples", "5"), saying: "holds 4 images", "at least 5")
      try expectRefusal(
        1, evaluate(a, "--reference", a, "--samples", "1"), saying: "fd_random",
        "expected at least 2")
    }

    @Test func images() throws {
      try Pictures.writeShapes(scene.path("a"), 0..<4)
      let a = scene.path("a")
      try FileManager.default.createDirectory(
        atPath: scene.path("empty"), withIntermediateDirectories: true)
      try expectRefusal(1, evaluate(scene.path("empty"), "--reference", a), saying: "empty")
      try expectRefusal(
        1, evaluate(scene.path("none"), "--reference", a), saying: "none", "no such")
      try Pictures.writeShapes(scene.path("mixed"), 0..<4)
      try ImageFile.writePNG(
        RGBImage(width: 3, height: 2, pixels: [UInt8](repeating: 7, count: 18)),
        to: scene.path("mixed/9.png"))
      try expectRefusal(
        1, evaluate(scene.path("mixed"), "--reference", a), saying: "9.png", "3 x 2",
        "--mixed-sizes")
      let mixed = try evaluate(scene.path("mixed"), "--reference", a, "--mixed-sizes").run()
      #expect(mixed.code == 0, "\(mixed.errors)")
    }

    @Test func references() throws {
      try Pictures.writeShapes(scene.path("a"), 0..<4)
      let a = scene.path("a")
      let stats = scene.path("stats.npz")
      // As EDM's tools write it: of Inception.
      let file = try NPZWriter(stats)
      try file.add("mu", NumPyArray([0.0, 0], shape: [2]))
      try file.add("sigma", NumPyArray([1.0, 0, 0, 1], shape: [2, 2]))
      try file.finish()
      try expectRefusal(
        1, evaluate(a, "--reference", stats), saying: "reference of another feature network")
      let floats = scene.path("floats.npz")
      let images = try NPZWriter(floats)
      try images.add(
        "arr_0", NumPyArray([Float](repeating: 0, count: 96), shape: [2, 4, 4, 3]))
      try images.finish()
      try expectRefusal(
        1, evaluate(floats, "--reference", a), saying: "uint8 [N, H, W, 3]", "float32")
      try expectRefusal(1, evaluate(a, "--reference", floats), saying: "float32")
      let weights = Repository.path("Tests/Reference/window-8.safetensors")
      try expectRefusal(
        1, evaluate(a, "--reference", a, "--metrics", "fid", "--features", weights),
        saying: "window-8.safetensors", "convert-inception.py")
    }

    @Test func statistics() throws {
      try Pictures.writeShapes(scene.path("a"), 0..<4)
      let a = scene.path("a")
      func stats(_ arguments: String...) throws -> Command {
        try Diffit.command(["data", "stats"] + arguments)
      }
      try expectRefusal(2, stats(a, "--out", scene.path("x.txt")), saying: "--out", ".npz")
      try expectRefusal(
        1, stats(a, "--out", scene.path("x.npz"), "--samples", "5"), saying: "holds 4 images")
      try expectRefusal(
        1, stats(a, "--out", "/proc/none/x.npz"), saying: "/proc/none", "cannot be written")
      #expect(!scene.exists("x.npz"))
    }
  }
}
