import Configuration
import Foundation
import Testing

@Suite("The resolved configuration")
struct ConfigurationResolvedTests {
  private func varied() throws -> Configuration {
    try Configuration(
      yaml: "", name: "",
      overrides: [
        "model.channels=96,192", "model.blocks=1,2", "model.dropout=0", "train.images=1.5Ki",
        "train.batch=12", "optimizer.lr=3.3e-7", "optimizer.eps=1e-12", "diffusion.p_mean=-0.1",
        "ema=[{name: a, half_life: 3k}, {name: b-2, rampup: 0.125}]", "train.seed=123456789012345",
        "parallel.bucket_mb=0.5", "log.every=0",
      ])
  }

  @Test func readingItBackGivesTheSame() throws {
    let odd = [
      "data", "a b", "true", "12", "null", "~", "x: y", "# no comment", "it's", "say \"hi\"", "ü/ß",
      "[a, b]", "{a}", "- a", "tab\there", "line\nbreak", " edges ", "1e-3", ".inf", "back\\slash",
      "&a", "*a", "!t", "%", "@", "`", "Yes",
    ]
    for path in odd {
      var configuration = try varied()
      configuration.data.path = path
      let again = try Configuration(yaml: configuration.yaml, name: "saved")
      #expect(again == configuration, "data.path \(path)")
    }
  }

  @Test func anEmptyListOfAveragesIsKept() throws {
    let configuration = try Configuration(yaml: "", name: "", overrides: ["ema=[]"])
    #expect(try Configuration(yaml: configuration.yaml, name: "saved").ema.isEmpty)
  }

  @Test func itIsPlainYAML() {
    let lines = Configuration().yaml.split(separator: "\n").map(String.init)
    #expect(lines.first == "model:")
    #expect(lines.contains("  channels: [128, 256, 256]"))
    #expect(lines.contains("  images: 200000000"))
    #expect(lines.contains("  lr: 0.001"))
    #expect(lines.contains("  eps: 1.0e-08"))
    #expect(lines.contains("  path: data/cifar10"))
    #expect(lines.contains("  half_life: 500000") || lines.contains("    half_life: 500000"))
  }

  @Test func dottedValuesCanBeGivenAsOverrides() throws {
    let configuration = try varied()
    let overrides = configuration.dotted.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    #expect(try Configuration(yaml: "", name: "", overrides: overrides) == configuration)
    #expect(configuration.dotted["model.channels"] == "96,192")
    #expect(configuration.dotted["ema.1.name"] == "b-2")
    #expect(configuration.dotted["train.images"] == "1536")
  }

  @Test func manifestsKeepItToo() throws {
    for path in ["data", "[a, b]", "{a}", "a,b", " edges ", "null", "*a", "x=y"] {
      var configuration = try varied()
      configuration.data.path = path
      let texts = configuration.dotted
      #expect(try Configuration(dotted: texts, name: "manifest") == configuration, "\(path)")
      #expect(texts["model.head_dim"] == "32")
    }
    let none = try Configuration(yaml: "", name: "", overrides: ["ema=[]"])
    #expect(try Configuration(dotted: none.dotted, name: "manifest") == none)
    var many = Configuration()
    many.ema = (0..<12).map { index in
      var average = EMASettings()
      average.name = "average-\(index)"
      return average
    }
    #expect(try Configuration(dotted: many.dotted, name: "manifest") == many)
  }

  @Test func aManifestsUnknownKeyNamesTheManifest() throws {
    var texts = Configuration().dotted
    texts["model.widow"] = "4"
    #expect(
      throws: ConfigurationError.unknownKey(
        key: "model.widow", at: "runs/a", nearest: "model.window")
    ) { try Configuration(dotted: texts, name: "runs/a") }
  }

  @Test func theDigestIsStable() throws {
    // Written down once: a change means that every older checkpoint's digest differs.
    #expect(Configuration().digest == "f2c3ecaea6272a7ddf0c2a8eb4a049c6")
    #expect(
      try Configuration(yaml: Configuration().yaml, name: "").digest == Configuration().digest)
  }

  @Test func theDigestTellsEveryKeyApart() throws {
    let changes = [
      "model.window=8", "data.path=x", "train.seed=1", "optimizer.lr=2e-3", "ema.0.rampup=0",
      "parallel.timeout=5", "checkpoint.keep=4", "sample.count=1", "log.every=1", "ema=[]",
    ]
    let digests = try changes.map {
      try Configuration(yaml: "", name: "", overrides: [$0]).digest
    }
    #expect(Set(digests + [Configuration().digest]).count == changes.count + 1)
    #expect(digests.allSatisfy { $0.wholeMatch(of: /[0-9a-f]{32}/) != nil })
  }
}

@Suite("What a run keeps on resume")
struct ConfigurationResumeTests {
  @Test func everyKeyIsFixedOrFree() {
    let free: Set<String> = [
      "data.path", "data.vae", "data.latent_scale", "train.images", "train.threads",
      "train.recompute", "parallel.bucket_mb",
      "parallel.shard_optimizer", "parallel.progress", "parallel.check_every", "parallel.timeout",
      "checkpoint.every", "checkpoint.keep",
      "checkpoint.keep_every", "checkpoint.snapshots", "checkpoint.async", "sample.every",
      "sample.count", "sample.steps",
      "sample.seed", "sample.sampler", "sample.guidance", "sample.guidance_schedule",
      "sample.guided_channels", "sample.guide", "sample.guide_weight", "metrics.every",
      "metrics.best", "metrics.reference",
      "metrics.features",
      "metrics.protocol", "data.validation", "metrics.names", "metrics.samples", "log.every",
      "log.straggler", "log.report", "log.tensorboard", "log.openmetrics", "optimizer.max_skipped",
    ]
    #expect(Set(Configuration.keys.filter { !Configuration.isFixedForRun($0) }) == free)
  }

  private func configuration(_ overrides: String...) throws -> Configuration {
    try Configuration(yaml: "", name: "", overrides: overrides)
  }

  @Test func freeKeysMayChange() throws {
    let now = try configuration(
      "data.path=x", "train.images=1k", "train.threads=3", "sample.every=0", "log.every=5",
      "checkpoint.every=7", "parallel.timeout=9")
    #expect(now.differences(from: Configuration().dotted).isEmpty)
  }

  @Test func fixedKeysMayNot() throws {
    let now = try configuration("model.window=8", "optimizer.lr=2e-3", "train.batch=256")
    let differences = now.differences(from: Configuration().dotted)
    #expect(
      differences == [
        ConfigurationDifference(key: "model.window", saved: "4", current: "8"),
        ConfigurationDifference(key: "train.batch", saved: "512", current: "256"),
        ConfigurationDifference(key: "optimizer.lr", saved: "0.001", current: "0.002"),
      ])
    let error = ConfigurationError.differsFromRun(
      checkpoint: "runs/a/checkpoints/images-000000001000", differences: differences)
    #expect(error.description.contains("model.window was 4, is 8; train.batch was 512, is 256"))
    #expect(error.description.contains("--force") && !error.description.contains("\n"))
  }

  @Test func averagesAddedAndRemovedAreDifferences() throws {
    let two = try configuration("ema.1.name=slow")
    let keys = ["ema.1.name", "ema.1.half_life", "ema.1.rampup", "ema.1.length"]
    #expect(two.differences(from: Configuration().dotted).map(\.key) == keys)
    let back = Configuration().differences(from: two.dotted)
    #expect(Set(back.map(\.key)) == Set(keys) && back.allSatisfy { $0.current == "absent" })
  }

  @Test func keysAnOlderVersionDidNotKnowCountAsDefaults() throws {
    var saved = Configuration().dotted
    saved["model.dropout"] = nil
    #expect(Configuration().differences(from: saved).isEmpty)
    #expect(try configuration("model.dropout=0").differences(from: saved).count == 1)
  }

  @Test func theChosenMicroBatchIsKept() throws {
    let saved = try configuration("train.micro_batch=64").dotted
    var now = Configuration()
    #expect(now.differences(from: saved).map(\.key) == ["train.micro_batch"])
    now.adoptChoices(from: saved)
    #expect(now.train.microBatch == 64 && now.differences(from: saved).isEmpty)
    var other = try configuration("train.micro_batch=32")
    other.adoptChoices(from: saved)
    #expect(other.differences(from: saved).map(\.key) == ["train.micro_batch"])
  }
}
