import Configuration
import Testing

/// Keys of recipes: what they read as, and where they are refused.
@Suite("Settings of recipes")
struct RecipeSettingsTests {
  private func configuration(_ overrides: String...) throws -> Configuration {
    try Configuration(yaml: "", name: "", overrides: overrides)
  }

  private func refuses(_ key: String, _ overrides: String...) throws {
    let error = #expect(throws: ConfigurationError.self) {
      try Configuration(yaml: "", name: "", overrides: overrides)
    }
    guard case .invalid(key, _, _, let expected, let remedy) = try #require(error) else {
      Issue.record("\(overrides): \(String(describing: error))")
      return
    }
    #expect(!expected.isEmpty && !remedy.isEmpty)
  }

  @Test func spansOfImages() throws {
    #expect(try configuration("optimizer.warmup=10%").optimizer.warmup == .share(percent: 10))
    #expect(try configuration("optimizer.warmup=1.5Ki").optimizer.warmup == .images(1_536))
    #expect(ImageSpan.share(percent: 12.5).images(of: 1_000) == 125)
    #expect(ImageSpan.images(7).images(of: 1_000) == 7)
    for text in ["-1%", "101%", "%", "x%", "1e999%", "5 %%", "-3", "ten"] {
      #expect(throws: ConfigurationError.self) { try configuration("optimizer.warmup=\(text)") }
    }
    let both = try configuration("optimizer.warmup=2.5%", "optimizer.cooldown=20%")
    #expect(both.dotted["optimizer.warmup"] == "2.5%")
    #expect(try Configuration(yaml: both.yaml, name: "") == both)
    #expect(try Configuration(dotted: both.dotted, name: "") == both)
  }

  @Test func theLearningRateFollowsThem() throws {
    let rate = try configuration(
      "train.images=1k", "optimizer.warmup=10%", "optimizer.cooldown=200", "optimizer.lr=1e-2"
    ).optimizer.learningRate(images: 1_000)
    #expect(rate(imagesSeen: 50) == 0.005 && rate(imagesSeen: 500) == 0.01)
    #expect(abs(rate(imagesSeen: 900) - 0.005) < 1e-15)
    let root = try configuration(
      "train.images=1k", "optimizer.warmup=100", "optimizer.schedule=inverse_sqrt"
    ).optimizer.learningRate(images: 1_000)
    #expect(abs(root(imagesSeen: 400) / 5e-4 - 1) < 1e-12)
  }

  @Test func whatMakesNoSenseIsRefused() throws {
    try refuses("optimizer.cooldown", "optimizer.schedule=cosine", "optimizer.cooldown=5%")
    try refuses("optimizer.cooldown", "optimizer.schedule=linear", "optimizer.cooldown=5")
    try refuses("optimizer.decay_start", "optimizer.decay_start=5")
    try refuses("optimizer.decay_start", "optimizer.schedule=inverse_sqrt", "optimizer.warmup=0")
    try refuses("optimizer.warmup", "optimizer.schedule=cosine", "train.images=1k")
    try refuses("optimizer.warmup", "optimizer.schedule=linear", "optimizer.warmup=100%")
    try refuses("optimizer.cooldown", "optimizer.warmup=60%", "optimizer.cooldown=50%")
    try refuses(
      "data.flip", "data.flip=true", "data.kind=latents", "model.kind=latent", "data.augment=0")
    let vae = ["model.kind=vae", "model.channels=32,32", "data.augment=0"]
    try refuses("model.zero_init", vae[0], vae[1], vae[2], "model.zero_init=true")
    try refuses("diffusion.uncertainty", vae[0], vae[1], vae[2], "diffusion.uncertainty=true")
    try refuses("diffusion.coupling", vae[0], vae[1], vae[2], "diffusion.coupling=best_of")
    try refuses("optimizer.kind", vae[0], vae[1], vae[2], "optimizer.kind=muon")
    try refuses("diffusion.coupling", "diffusion.kind=ddpm", "diffusion.coupling=best_of")
    try refuses("sample.sampler", "sample.sampler=ddpm", "diffusion.coupling=best_of")
    try refuses("checkpoint.snapshots", "checkpoint.snapshots=1k")
    try refuses("ema.0.length", "ema.0.length=0.0001")
    try refuses("ema.0.length", "ema.0.length=0.5")
    try refuses("diffusion.uncertainty", "diffusion.kind=ddpm", "diffusion.uncertainty=true")
  }

  @Test func theLengthOfTheRunIsFixedWhereTheRateNeedsIt() throws {
    func differences(_ setting: String) throws -> [String] {
      let saved = try configuration("train.images=20M", setting).dotted
      return try configuration("train.images=40M", setting).differences(from: saved).map(\.key)
    }
    for setting in [
      "optimizer.schedule=cosine", "optimizer.schedule=linear", "optimizer.cooldown=10k",
      "optimizer.warmup=5%",
    ] { #expect(try differences(setting) == ["train.images"], "\(setting)") }
    for setting in [
      "optimizer.schedule=constant", "optimizer.schedule=inverse_sqrt", "optimizer.warmup=0%",
    ] { #expect(try differences(setting).isEmpty, "\(setting)") }
  }

  /// A checkpoint of an older version has none of the keys, also not those of its averages.
  @Test func olderCheckpointsResume() throws {
    let now = try configuration("train.images=1k")
    let known = [
      "optimizer.schedule", "optimizer.cooldown", "optimizer.decay_start", "optimizer.kind",
      "data.flip", "model.zero_init", "diffusion.uncertainty",
      "diffusion.coupling", "diffusion.candidates", "ema.0.length", "checkpoint.snapshots",
      "sample.guide", "sample.guide_weight",
    ]
    let saved = now.dotted.filter { !known.contains($0.key) }
    #expect(saved.count == now.dotted.count - known.count)
    #expect(now.differences(from: saved).isEmpty)
  }
}
