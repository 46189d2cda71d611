import Configuration
import Testing

@Suite("Values that cannot work")
struct ConfigurationValidationTests {
  private func error(_ overrides: [String]) throws -> ConfigurationError {
    let error = #expect(throws: ConfigurationError.self) {
      try Configuration(yaml: "", name: "", overrides: overrides)
    }
    return try #require(error)
  }

  @Test(arguments: [
    ("model.resolution", "0"), ("model.resolution", "30"), ("model.window", "0"),
    ("model.window", "5"), ("model.head_dim", "0"), ("model.head_dim", "48"),
    ("model.time_dim", "0"), ("model.embed_dim", "3"), ("model.embed_dim", "2"),
    ("model.classes", "-1"), ("model.classes", "7"), ("model.dropout", "1"),
    ("model.dropout", "-0.1"), ("model.channels", "128,256"), ("model.channels", "128,0,128"),
    ("model.blocks", "4,4"), ("model.blocks", "4,0,4"), ("data.path", ""), ("data.augment", "1.1"),
    ("data.augment", "-1"), ("diffusion.p_mean", "100"), ("diffusion.p_std", "0"),
    ("diffusion.sigma_data", "0"), ("diffusion.label_dropout", "1.5"), ("train.images", "0"),
    ("train.batch", "0"), ("train.batch", "9223372036854775807"), ("train.micro_batch", "-1"),
    ("train.micro_batch", "513"), ("train.seed", "-1"), ("train.threads", "-1"),
    ("optimizer.lr", "-1"), ("optimizer.betas", "0.9"), ("optimizer.betas", "0.9,1"),
    ("optimizer.eps", "0"), ("optimizer.weight_decay", "-1"), ("optimizer.clip_norm", "-1"),
    ("ema.0.name", "a/b"), ("ema.0.name", "raw"), ("ema.0.half_life", "0"),
    ("ema.0.rampup", "-1"), ("parallel.shards", "6"), ("parallel.shards", "0"),
    ("parallel.bucket_mb", "0"), ("parallel.timeout", "-1"), ("checkpoint.keep", "0"),
    ("checkpoint.keep_every", "-1"), ("sample.count", "0"), ("sample.steps", "0"),
    ("sample.seed", "-1"), ("log.straggler", "1"), ("log.straggler", "-2"),
    ("metrics.names", "loss,loss"), ("metrics.names", "fid"), ("metrics.best", "loss"),
    ("metrics.protocol", "x"), ("metrics.features", ""), ("metrics.samples", "0"),
  ])
  func outOfRange(key: String, value: String) throws {
    let found = try error(["\(key)=\(value)"])
    guard case .invalid(_, _, _, let expected, let remedy) = found else {
      Issue.record("\(found)")
      return
    }
    #expect(!expected.isEmpty && !remedy.isEmpty)
    #expect(!found.description.contains("\n"))
    // The message leads to what was written: most often the key itself.
    #expect(found.description.contains(key) || key == "model.channels", "\(found)")
  }

  @Test func canonicalShardsAreAlikeAndWholeMicroBatches() throws {
    let reproducible = "parallel.reduction=reproducible"
    guard
      case .invalid("train.batch", _, "100", _, _) = try error([reproducible, "train.batch=100"])
    else {
      Issue.record("a batch of 100 in 8 shards")
      return
    }
    guard
      case .invalid("train.micro_batch", _, "5", _, _) = try error([
        reproducible, "train.batch=64", "train.micro_batch=5",
      ])
    else {
      Issue.record("micro-batches of 5 in shards of 8")
      return
    }
    _ = try Configuration(
      yaml: "", name: "",
      overrides: [reproducible, "train.batch=96", "train.micro_batch=6", "parallel.shards=16"])
    _ = try Configuration(yaml: "", name: "", overrides: ["train.batch=100"])
  }

  @Test func theWindowMustDivideEveryStage() throws {
    #expect(
      try error(["model.window=16", "model.resolution=48", "data.kind=shapes"])
        == .invalid(
          key: "model.window", at: "--set model.window=16", found: "16",
          expected: "a window that divides every stage's side (stage 1 has 24)",
          remedy: "use one of 1, 2, 3, 4, 6, 12, 24, 48"))
    // A coarse stage smaller than the window has one window of its own size.
    let configuration = try Configuration(yaml: "", name: "", overrides: ["model.window=16"])
    #expect(configuration.model.sides == [32, 16, 8])
  }

  @Test func headDimNamesADivisor() throws {
    #expect(
      try error(["model.channels=96,192", "model.blocks=1,1", "model.head_dim=64"])
        == .invalid(
          key: "model.head_dim", at: "--set model.head_dim=64", found: "64",
          expected: "a divisor of every stage's width (96 is not a multiple)",
          remedy: "use a divisor of 96"))
  }

  @Test func manyStagesDoNotTrap() throws {
    let ones = Array(repeating: "1", count: 80).joined(separator: ",")
    let widths = Array(repeating: "32", count: 80).joined(separator: ",")
    guard
      case .invalid("model.resolution", "default", "32", _, _) = try error([
        "model.channels=\(widths)", "model.blocks=\(ones)",
      ])
    else {
      Issue.record("80 stages of a 32 px image passed")
      return
    }
  }

  @Test func classesMustFitTheData() throws {
    for kind in ["cifar10", "shapes"] {
      _ = try Configuration(
        yaml: "", name: "", overrides: ["data.kind=\(kind)", "model.classes=10"])
      guard
        case .invalid("model.classes", _, "100", _, _) = try error([
          "data.kind=\(kind)", "model.classes=100",
        ])
      else {
        Issue.record("100 classes of \(kind) passed")
        return
      }
    }
    _ = try Configuration(yaml: "", name: "", overrides: ["data.kind=folder", "model.classes=100"])
  }

  @Test func cifar10HasOneResolution() throws {
    guard case .invalid("model.resolution", _, "64", _, _) = try error(["model.resolution=64"])
    else {
      Issue.record("64 px of CIFAR-10 passed")
      return
    }
    _ = try Configuration(
      yaml: "", name: "", overrides: ["model.resolution=64", "data.kind=shapes"])
  }

  @Test func whatComparesImagesNeedsPixels() throws {
    let small = ["model.kind=vae", "data.kind=shapes", "model.resolution=12"]
    let judged = small + ["vae.discriminator_start=1"]
    _ = try Configuration(
      yaml: "", name: "", overrides: judged + ["vae.discriminator_layers=2"])
    guard case .invalid("vae.discriminator_layers", _, "3", _, _) = try error(judged) else {
      Issue.record("patches larger than images passed")
      return
    }
    guard case .invalid("vae.perceptual", _, "a", _, _) = try error(small + ["vae.perceptual=a"])
    else {
      Issue.record("LPIPS of 12 pixels passed")
      return
    }
  }

  @Test func averagesHaveDifferentNames() throws {
    let found = try error(["ema=[{name: a}, {name: b}, {name: a}]"])
    #expect(
      found
        == .invalid(
          key: "ema.2.name", at: "--set ema=[{name: a}, {name: b}, {name: a}]", found: "a",
          expected: "a name no other entry of ema has", remedy: "set ema.2.name"))
  }

  @Test func aFilesLineIsNamed() throws {
    let error = #expect(throws: ConfigurationError.self) {
      try Configuration(yaml: "train:\n  seed: 1\n  batch: 0\n", name: "run.yaml")
    }
    #expect(
      error?.description
        == "run.yaml:3: train.batch is 0; expected 1 to 16777216: the default is 512")
  }

  @Test func valuesSetInCodeAreValidatedToo() {
    var configuration = Configuration()
    configuration.train.batch = 0
    #expect(throws: ConfigurationError.self) { try configuration.validate() }
  }

  @Test func intervalsMayBeSwitchedOff() throws {
    let configuration = try Configuration(
      yaml: "", name: "",
      overrides: ["sample.every=0", "checkpoint.every=0", "log.every=0", "optimizer.warmup=0"])
    #expect(configuration.sample.every == 0 && configuration.checkpoint.every == 0)
  }
}
