import Foundation
import ProcessSupport
import Testing

extension RefusalTests {
  /// What a run keeps from its first step to its last, and what may change.
  @Suite("Settings of a run") struct FixedSettingsTests {
    let scene: Scene
    let run: RunFolder

    init() throws {
      scene = try Scene()
      run = RunFolder(scene, "run")
      try run.train("train.images=32")
    }

    /// One of each section and kind; the data's content is told in `BadStateTests`.
    @Test func eachFixedKeyIsRefusedWithItsDifference() throws {
      let before = try run.state(32)
      let changes = [
        ("model.dropout=0.2", "model.dropout was 0.1, is 0.2"),
        ("model.time_dim=64", "model.time_dim was 32, is 64"),
        ("data.augment=0.5", "data.augment was 0.12, is 0.5"),
        ("diffusion.p_mean=-1", "diffusion.p_mean was -1.2, is -1"),
        ("diffusion.label_dropout=0.3", "diffusion.label_dropout was 0.1, is 0.3"),
        ("train.batch=32", "train.batch was 16, is 32"),
        ("train.seed=7", "train.seed was 0, is 7"),
        ("train.precision=bf16", "train.precision was fp32, is bf16"),
        ("train.micro_batch=4", "train.micro_batch was 3, is 4"),
        ("optimizer.lr=2e-3", "optimizer.lr was 0.001, is 0.002"),
        ("optimizer.on_nonfinite=stop", "optimizer.on_nonfinite was skip, is stop"),
        ("ema.0.half_life=64", "ema.0.half_life was 128, is 64"),
        ("ema.1.name=second", "ema.1.name was absent, is second"),
        ("parallel.shards=4", "parallel.shards was 8, is 4"),
        ("parallel.wire=bf16", "parallel.wire was fp32, is bf16"),
      ]
      for (setting, difference) in changes {
        let outcome = try Diffit.training(run.path, [setting]).run()
        #expect(outcome.code == 2, "\(setting): \(outcome)")
        #expect(outcome.complaints.count == 1, "\(outcome.errors)")
        #expect(outcome.errors.contains(run.checkpoint(32)), "\(setting): \(outcome.errors)")
        #expect(outcome.errors.contains(difference), "\(setting): \(outcome.errors)")
        #expect(outcome.errors.contains("--force") || setting.hasPrefix("model."))
      }
      #expect(run.checkpoints.count == 1)
      #expect(try run.state(32) == before)
    }

    @Test func anotherReduction() throws {
      try expectRefusal(
        2,
        Diffit.training(run.path, ["parallel.reduction=reproducible", "train.micro_batch=2"]),
        saying: "parallel.reduction was fast, is reproducible", "train.micro_batch was 3, is 2")
    }

    @Test func withForceTheyChange() throws {
      try run.train("optimizer.lr=2e-3", "train.images=64", options: ["--force"])
      #expect(try run.text("config.yaml").contains("lr: 0.002"))
    }

    @Test func theOthersAreFree() throws {
      try run.train(
        "train.images=64", "checkpoint.every=16", "checkpoint.keep=2", "sample.every=64",
        "sample.count=2", "sample.steps=2", "log.every=32", "parallel.timeout=60",
        "parallel.bucket_mb=1", "parallel.shard_optimizer=true", "parallel.progress=thread",
        "checkpoint.async=false", ranks: 2)
      #expect(run.checkpoints == ["images-000000000048", "images-000000000064"])
    }
  }
}
