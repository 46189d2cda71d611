import FixtureSupport
import Foundation
import ProcessSupport
import Testing

extension EndToEndTests {
  /// Runs of `model.kind: vae`: two networks, each with its optimiser.
  @Suite("An autoencoder and its discriminator") struct AutoencoderRunTests {
    let scene: Scene

    init() throws { scene = try Scene() }

    /// The discriminator joins in after half of the images.
    private static let settings = [
      "model.kind=vae", "model.channels=8,16", "model.layers=1", "model.classes=0",
      "data.augment=0", "vae.discriminator_start=48", "vae.discriminator_width=4",
      "vae.discriminator_layers=1", "parallel.reduction=reproducible", "parallel.shards=4",
      "train.micro_batch=0", "metrics.names=psnr", "metrics.samples=4",
    ]

    private func run(_ name: String, ranks: Int = 0, _ more: String...) throws -> RunFolder {
      let run = RunFolder(scene, name)
      let outcome = try Diffit.training(run.path, Self.settings + more).onRanks(ranks).run()
      try #require(outcome.code == 0, "\(name): \(outcome.errors)")
      return run
    }

    @Test func theSameBitsOnAnyRanksAndAcrossAStop() throws {
      let whole = try run("whole", "metrics.every=48", "sample.every=96", "sample.count=5")
      try expectSameState(
        run("sharded", ranks: 4, "parallel.shard_optimizer=true"), whole, images: 96)
      _ = try run("parts", ranks: 2, "train.images=64")  // the discriminator has begun
      try expectSameState(run("parts", ranks: 1), whole, images: 96)

      let (first, last) = (try whole.rows[0], try #require(try whole.rows.last))
      #expect(first.terms?["discriminator"] == nil && first.lossByNoiseLevel.isEmpty)
      #expect(last.terms?["discriminator"] ?? 0 > 0 && last.terms?["balance"] ?? 0 > 0)
      #expect(last.loss < first.loss && last.terms?["l1"] ?? 1 < first.terms?["l1"] ?? 0)
      let measured = try whole.text("stats.jsonl").split(separator: "\n").filter {
        $0.contains("\"psnr\"")
      }
      #expect(measured.count == 2)
      #expect(try whole.sample(96, "ema").count > 1_000)
    }

    @Test func whatBecomesOfIt() throws {
      let run = try run("run")
      let psnr = try Diffit.run(
        "evaluate", run.path, "--metrics", "psnr", "--samples", "4", "--json", "-", ranks: 2)
      #expect(psnr.code == 0 && psnr.output.contains("\"psnr\""), "\(psnr.errors)")
      let folder = scene.path("diffusers")
      #expect(try Diffit.run("export", run.path, "--out", folder, "--ema", "ema").code == 0)
      #expect(
        scene.names(in: "diffusers") == ["config.json", "diffusion_pytorch_model.safetensors"])

      let drawn = try Diffit.run("sample", run.path, "--seeds", "0", "--out", scene.path("no"))
      #expect(drawn.code == 2 && drawn.errors.contains("samples no images"), "\(drawn.errors)")
      for metrics in ["loss", "psnr,loss", "fd_random,loss"] {
        let loss = try Diffit.run("evaluate", run.path, "--metrics", metrics)
        #expect(loss.code == 2 && loss.errors.contains("no denoising loss"), "\(loss.errors)")
      }
      let network = RunFolder(scene, "network")
      try network.train("train.images=16")
      let wrong = try Diffit.run("evaluate", network.path, "--metrics", "psnr")
      #expect(wrong.code == 2 && wrong.errors.contains("not an autoencoder"), "\(wrong.errors)")
    }

    /// Its metrics are those of the images it makes of held-out images, to what it was trained on.
    @Test func distanceOfWhatComesBack() throws {
      let run = try run("run")
      func measure(_ metrics: String, ranks: Int = 0, _ more: String...) throws -> [String: Double]
      {
        let outcome = try Diffit.command(
          ["evaluate", run.path, "--metrics", metrics, "--samples", "24", "--json", "-"] + more
        ).onRanks(ranks).run()
        #expect(outcome.code == 0, "\(outcome.errors)")
        struct Report: Decodable { let metrics: [String: Double] }
        return try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8)).metrics
      }
      let both = try measure("psnr,fd_random")
      #expect(try measure("psnr") == both.filter { $0.key == "psnr" })
      let distance = try #require(both["fd_random"])
      let onRanks = try #require(measure("fd_random", ranks: 2)["fd_random"])
      #expect(distance > 0 && abs(distance - onRanks) < 1e-9 * distance)
      let parts = try #require(measure("fd_random", "--repeats", "2")["fd_random"])
      #expect(parts != distance && abs(parts - distance) < 0.5 * distance)
      let many = try Diffit.run(
        "evaluate", run.path, "--metrics", "psnr", "--samples", "6000", "--repeats", "2")
      #expect(
        many.code == 1 && many.errors.contains("held-out images of drawn shapes: holds 10000"),
        "\(many.errors)")
    }

    /// 12 is a multiple of the factor, but of nothing that images could be cut into tiles by.
    @Test func imagesOfAnySideThatTheFactorDivides() throws {
      let run = try run(
        "twelve", "model.resolution=12", "metrics.every=96", "sample.every=96", "sample.count=3",
        "train.images=96")
      #expect(try run.text("stats.jsonl").contains("\"psnr\""))
      #expect(try run.sample(96, "ema").count > 100)
    }

    @Test func bench() throws {
      let file = scene.path("bench.json")
      let arguments = Self.settings.flatMap { ["--set", $0] }
      let outcome = try Diffit.command(
        ["bench", "--config", Repository.debug, "--batch", "4", "--images", "8", "--json", file]
          + arguments
      ).run()
      #expect(outcome.code == 0 && !outcome.output.contains("sampling"), "\(outcome.errors)")
      let json = try String(contentsOfFile: file, encoding: .utf8)
      #expect(json.contains("train_images_per_second") && !json.contains("sampl"))
    }

    @Test func mistakes() throws {
      for (setting, word) in [
        ("vae.perceptual=\(scene.path("none.safetensors"))", "none.safetensors"),
        ("model.resolution=17", "model.resolution"), ("vae.kl_weight=-1", "vae.kl_weight"),
        ("metrics.every=16", "metrics.names"),
        ("vae.discriminator_layers=4", "vae.discriminator_layers"),
      ] {
        let outcome = try Diffit.training(
          scene.path("bad"), Self.settings.filter { !$0.hasPrefix("metrics.names") } + [setting]
        ).onRanks(2).run()
        #expect(outcome.code == 2 || outcome.code == 1)
        #expect(outcome.errors.contains(word), "\(outcome.errors)")
      }
    }
  }
}
