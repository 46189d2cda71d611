import FixtureSupport
import Foundation
import Testing

extension RecipeTests {
  /// Autoguidance by `--guide`, and by the run's settings.
  @Suite("Autoguidance") struct GuideTests {
    let scene: RecipeScene

    init() throws {
      scene = try RecipeScene()
      try scene.train("main", ["sample.steps=3"])
      try scene.train("guide", ["train.images=32", "model.channels=16,16"])
    }

    private func sample(
      _ out: String, _ options: [String] = [], run: String = "main", ranks: Int = 0
    ) throws -> Data {
      try scene.succeed(
        ["sample", scene.path(run), "--seeds", "0-3", "--out", scene.path(out)] + options,
        ranks: ranks)
      return try Data(contentsOf: scene.folder.file("\(out)/000000/000002.png"))
    }

    private func record(_ out: String) throws -> [String: Any] {
      let data = try Data(contentsOf: scene.folder.file("\(out)/samples.json"))
      return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test func aGuideChangesImagesAndIsRecorded() throws {
      let guide = ["--guide", scene.path("guide"), "--guide-weight"]
      let plain = try sample("plain")
      #expect(try record("plain")["guide"] == nil)
      #expect(try sample("one", guide + ["1"]) == plain, "a weight of 1 changes nothing")
      let guided = try sample("guided", guide + ["2.5"])
      #expect(guided != plain)
      let found = try record("guided")
      #expect(found["guide"] as? String == "images-000000000032")
      #expect(found["guide_weight"] as? Double == 2.5)
      #expect(found["guide_weights"] as? String == "ema.ema")
      #expect((found["guide_digest"] as? String)?.count == 32)
      #expect(try sample("ranks", guide + ["2.5"], ranks: 3) == guided)
      // Nowhere within an interval that no level is in; and everywhere with all levels in it.
      #expect(try sample("nowhere", guide + ["2.5", "--guidance-interval", "500,600"]) == plain)
      #expect(try sample("all", guide + ["2.5", "--guidance-interval", "0,100"]) == guided)
      let raw = try sample("raw", guide + ["2.5", "--guide-ema", "raw"])
      #expect(try raw != plain && record("raw")["guide_weights"] as? String == "weights")
      let both = try sample("both", guide + ["2.5", "--guidance", "3"])
      #expect(both != guided && both != plain)
      // A folder of images that were drawn otherwise is left alone.
      let refused = try scene.run(
        ["sample", scene.path("main"), "--seeds", "0-3", "--out", scene.path("plain")] + guide + [
          "2"
        ])
      #expect(refused.code == 2 && refused.errors.contains("guide"))
    }

    /// A network that guides itself changes nothing, whatever the weight, but for rounding.
    @Test func aNetworkIsNoGuideOfItself() throws {
      let plain = try sample("plain")
      let own = try sample("own", ["--guide", scene.path("main"), "--guide-weight", "3"])
      #expect(own == plain)
    }

    @Test func settingsNameAGuideToo() throws {
      try scene.train(
        "set", ["sample.steps=3", "sample.guide=\(scene.path("guide"))", "sample.guide_weight=2.5"])
      let guide = ["--guide", scene.path("guide"), "--guide-weight", "2.5"]
      #expect(try sample("by-set", run: "set") == sample("by-option", guide))
      let json = scene.path("report.json")
      try scene.succeed([
        "evaluate", scene.path("set"), "--metrics", "loss", "--samples", "8", "--json", json,
      ])
      let text = try String(contentsOfFile: json, encoding: .utf8)
      #expect(text.contains("\"guide_weight\"") && text.contains("images-000000000032"))
    }

    @Test func aGuideOfAnotherTaskIsRefused() throws {
      try scene.train("classless", ["train.images=16", "model.classes=0"])
      try scene.train("small", ["train.images=16", "model.resolution=8"])
      func refusal(_ options: [String]) throws -> String {
        let outcome = try scene.run(
          ["sample", scene.path("main"), "--out", scene.path("none")] + options)
        #expect(outcome.code == 2 && outcome.complaints.count == 1, "\(outcome.errors)")
        return outcome.errors
      }
      #expect(
        try refusal(["--guide", scene.path("classless")]).contains("model.classes: 0; expected 10"))
      #expect(
        try refusal(["--guide", scene.path("small")]).contains("8 x 8 x 3 pixels; expected 16 x 16")
      )
      #expect(try refusal(["--guide-weight", "2"]).contains("--guide beside it"))
      #expect(try refusal(["--guide", ""]).contains("--guide"))
      let missing = try scene.run(
        ["sample", scene.path("main"), "--out", scene.path("none"), "--guide", scene.path("no")])
      #expect(missing.code != 0 && missing.complaints.count == 1)
    }
  }
}
