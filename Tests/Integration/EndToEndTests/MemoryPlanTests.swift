import Configuration
import FixtureSupport
import Foundation
import ProcessSupport
import Testing

extension EndToEndTests {
  /// `--dry-run` against what runs then use, and the presets.
  @Suite struct MemoryPlanTests {
    let scene: Scene

    init() throws { scene = try Scene() }

    /// Images small, the rest large enough for the process itself to be a part of it only.
    private static let network = [
      "model.resolution=16", "model.channels=64,192", "model.blocks=2,3", "model.head_dim=32",
      "train.images=32", "train.batch=16", "train.micro_batch=8", "checkpoint.every=32",
    ]

    private func planned(_ outcome: Outcome) throws -> Double {
      let words = try #require(outcome.lines.first { $0.hasPrefix("# memory per rank") })
        .split(separator: " ")
      let unit = ["MiB": 1.0, "GiB": 1024][String(words[5])]
      return try #require(Double(words[4])) * #require(unit)
    }

    @Test(arguments: [
      ([], 0), (["train.precision=bf16"], 0),
      (["train.recompute=true", "train.precision=bf16"], 0),
      (["parallel.shard_optimizer=true"], 2), (["checkpoint.async=false", "sample.every=32"], 2),
    ])
    func thePlanIsWithinTenPercentOfARun(_ settings: [String], _ ranks: Int) throws {
      let all = Self.network + settings
      let plan = try planned(
        Diffit.training(scene.path("run"), all, options: ["--dry-run"]).onRanks(ranks).run())
      #expect(!scene.exists("run"))
      let run = RunFolder(scene, "run")
      let outcome = try Diffit.training(run.path, all).onRanks(ranks).run()
      try #require(outcome.code == 0, "\(outcome.errors)")
      let used = Double(try #require(run.rows.last).peakRSS) / 1_048_576
      #expect(abs(plan / used - 1) < 0.1, "planned \(plan) MiB, used \(used)")
    }

    /// In the plain digits of the contract, and by kind.
    @Test(arguments: [
      ("imagenet256-latent-xl", 561_035_232), ("imagenet512-latent-xl", 562_382_816),
      ("ffhq64", 23_799_131), ("cifar10", 28_685_955),
    ])
    func presetsOfThePaper(_ name: String, _ parameters: Int) throws {
      let file = try Self.readable("\(Repository.root)/configs/\(name).yaml", scene)
      let outcome = try Diffit.run("train", "--config", file, "--dry-run")
      #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
      #expect(outcome.output.contains("# parameters           \(parameters)\n"))
      for kind in [
        "weights", "weight panels", "gradients", "moments", "averages", "sums over ranks",
        "snapshot", "activations", "sampling", "data", "process",
      ] {
        #expect(outcome.lines.count { $0.hasPrefix("#   \(kind)  ") } == 1, "\(kind)")
      }
      #expect(outcome.output.contains("without train.recompute"))
    }

    @Test func everyPresetIsReadable() throws {
      let names = try FileManager.default.contentsOfDirectory(atPath: "\(Repository.root)/configs")
      #expect(names.count >= 12)
      for name in names {
        let file = try Self.readable("\(Repository.root)/configs/\(name)", scene)
        let configuration = try Configuration(file: file)
        #expect(configuration.train.images > 0, "\(name)")
      }
    }

    /// A build without stored latents reads the rest of such a preset.
    private static func readable(_ path: String, _ scene: Scene) throws -> String {
      let text = try String(contentsOfFile: path, encoding: .utf8)
      guard DataSettings.Kind(rawValue: "latents") == nil, text.contains("kind: latents") else {
        return path
      }
      let copy = scene.path("\(UUID()).yaml")
      try text.replacingOccurrences(of: "kind: latents", with: "kind: packed")
        .write(toFile: copy, atomically: true, encoding: .utf8)
      return copy
    }
  }
}
