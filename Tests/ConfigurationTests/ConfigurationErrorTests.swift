import Configuration
import Foundation
import Testing

@Suite("Malformed configurations")
struct ConfigurationErrorTests {
  private func error(
    _ yaml: String, _ overrides: [String] = []
  ) throws -> ConfigurationError {
    let error = #expect(throws: ConfigurationError.self) {
      try Configuration(yaml: yaml, name: "run.yaml", overrides: overrides)
    }
    let found = try #require(error)
    #expect(!found.description.contains("\n"))
    return found
  }

  @Test func unknownKeyInAFileNamesLineAndNearestKey() throws {
    let found = try error("model:\n  channels: [32]\n  widow: 4\n")
    #expect(
      found
        == .unknownKey(key: "model.widow", at: "run.yaml:3", nearest: "model.window"))
    #expect(
      found.description
        == "run.yaml:3: unknown key model.widow; the nearest known key is model.window")
  }

  @Test(arguments: [
    ("model.head_dmi", "model.head_dim"), ("modle.window", "model.window"),
    ("train.lr", "optimizer.lr"), ("batch", "train.batch"), ("optimiser.lr", "optimizer.lr"),
    ("ema.0.halflife", "ema.0.half_life"), ("train.microbatch", "train.micro_batch"),
    ("parallel.bucket", "parallel.bucket_mb"), ("ema.half_life", "ema.0.half_life"),
  ])
  func unknownKeyInAnOverrideNamesTheNearest(key: String, nearest: String) throws {
    let at = "--set \(key)=1"
    #expect(
      try error("", ["\(key)=1"]) == .unknownKey(key: key, at: at, nearest: nearest))
  }

  @Test func unknownSection() throws {
    #expect(
      try error("log: {every: 1}\n\nmodal: {window: 4}")
        == .unknownKey(key: "modal", at: "run.yaml:3", nearest: "model"))
    #expect(
      try error("batch: 4") == .unknownKey(key: "batch", at: "run.yaml:1", nearest: "train.batch"))
  }

  @Test func unknownKeyOfAnAverage() throws {
    #expect(
      try error("ema:\n  - name: a\n  - name: b\n    halflife: 3")
        == .unknownKey(key: "ema.1.halflife", at: "run.yaml:4", nearest: "ema.0.half_life"))
  }

  @Test func wrongTypeNamesKeyValueAndExpectation() throws {
    let found = try error("train:\n  batch: many\n")
    #expect(
      found
        == .wrongType(
          key: "train.batch", at: "run.yaml:2", found: "many",
          expected: "a whole number; the default is 512"))
    #expect(
      found.description
        == "run.yaml:2: train.batch is many; expected a whole number; the default is 512")
  }

  @Test(arguments: [
    ("train: {batch: 1.5}", "train.batch"), ("train: {batch: '1.5'}", "train.batch"),
    ("train: {batch: }", "train.batch"), ("train: {batch: [1]}", "train.batch"),
    ("train: {images: -5}", "train.images"), ("train: {precision: fp64}", "train.precision"),
    ("model: {channels: 128}", "model.channels"), ("model: {blocks: [4, x]}", "model.blocks"),
    ("model: {channels: '128,256'}", "model.channels"), ("optimizer: {lr: fast}", "optimizer.lr"),
    ("optimizer: {lr: .inf}", "optimizer.lr"), ("optimizer: {lr: nan}", "optimizer.lr"),
    ("optimizer: {lr: 0x10}", "optimizer.lr"), ("checkpoint: {async: yes}", "checkpoint.async"),
    ("data: {path: [a]}", "data.path"), ("data: {kind: mnist}", "data.kind"),
    ("train: {seed: 99999999999999999999}", "train.seed"),
    ("optimizer: {betas: [0.9, [1]]}", "optimizer.betas"), ("ema: [{name: {a: 1}}]", "ema.0.name"),
  ])
  func wrongType(yaml: String, key: String) throws {
    guard case .wrongType(key, "run.yaml:1", _, _) = try error(yaml) else {
      Issue.record("\(try error(yaml))")
      return
    }
  }

  @Test func wrongTypeInAnOverride() throws {
    #expect(
      try error("", ["train.precision=half"])
        == .wrongType(
          key: "train.precision", at: "--set train.precision=half", found: "half",
          expected: "fp32 or bf16; the default is bf16"))
    guard case .wrongType("model.blocks", _, _, _) = try error("", ["model.blocks=2,,2"]) else {
      Issue.record("an empty item passed")
      return
    }
  }

  @Test(arguments: ["train.batch", "=4", ""])
  func overrideWithoutKeyOrValue(text: String) throws {
    #expect(try error("", [text]) == .malformedOverride(found: text))
  }

  @Test func sectionThatIsNotOne() throws {
    guard case .wrongShape("model", "run.yaml:1", "5", _) = try error("model: 5"),
      case .wrongShape("train", "--set train=5", "5", _) = try error("", ["train=5"]),
      case .wrongShape("ema", "run.yaml:1", "a mapping", _) = try error("ema: {name: a}"),
      case .wrongShape("ema.0", "run.yaml:1", "a", _) = try error("ema: [a]"),
      case .wrongShape("the file", "run.yaml:1", "hello", _) = try error("hello")
    else {
      Issue.record("not refused as a shape")
      return
    }
  }

  @Test func entryThatDoesNotExist() throws {
    #expect(
      try error("", ["ema.2.name=a"])
        == .noSuchEntry(key: "ema.2", at: "--set ema.2.name=a", entries: 1))
    guard case .noSuchEntry = try error("", ["ema.-1.name=a"]) else {
      Issue.record("a negative index passed")
      return
    }
  }

  @Test func keyWrittenTwice() throws {
    guard case .repeatedKey(_, let keys) = try error("train:\n  batch: 1\n  batch: 2\n") else {
      Issue.record("the last one won silently")
      return
    }
    #expect(keys == ["batch"])
  }

  @Test func notYAML() throws {
    guard case .malformedYAML("run.yaml:2", _) = try error("model: {window: 4\ntrain: [") else {
      Issue.record("\(try error("model: {window: 4\ntrain: ["))")
      return
    }
    guard case .malformedYAML = try error("", ["model.blocks=[1, 2"]) else {
      Issue.record("an open bracket passed")
      return
    }
  }

  @Test func unreadableFiles() throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "configuration-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let binary = folder.appending(path: "binary.yaml").path
    try Data([0x6D, 0xFF, 0xFE, 0x00]).write(to: URL(fileURLWithPath: binary))
    let missing = folder.appending(path: "missing.yaml").path
    for (path, reason) in [
      (missing, "no such file"), (folder.path, "is a folder"), (binary, "is not UTF-8 text"),
    ] {
      #expect(throws: ConfigurationError.unreadableFile(path: path, reason: reason)) {
        try Configuration(file: path)
      }
    }
  }
}
