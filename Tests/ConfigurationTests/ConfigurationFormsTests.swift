import Configuration
import Foundation
import Testing

/// Settings as editors and other programs write them.
@Suite("Forms of settings files")
struct ConfigurationFormsTests {
  private static let plain = """
    model: {resolution: 16, channels: [32, 32], blocks: [1, 1]}
    data: {kind: shapes, path: data, augment: 0}
    train: {images: 64, batch: 16, precision: fp32}
    optimizer: {lr: 1e-3, warmup: 0}
    ema: [{name: a, half_life: 1k}]
    checkpoint: {async: false}
    """

  private static let quoted = """
    model: {resolution: '16', channels: ["32", '32'], blocks: ["1", 1]}
    data: {kind: "shapes", path: 'data', augment: "0"}
    train: {images: "64", batch: '16', precision: 'fp32'}
    optimizer: {lr: "1e-3", warmup: "0"}
    ema: [{name: "a", half_life: '1k'}]
    checkpoint: {async: "false"}
    """

  private func expected() throws -> Configuration {
    try Configuration(yaml: Self.plain, name: "plain.yaml")
  }

  /// As a file of these bytes is read.
  private func read(_ bytes: [UInt8]) throws -> Configuration {
    let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).yaml")
    try Data(bytes).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    return try Configuration(file: file.path)
  }

  @Test func aByteOrderMarkIsNoPartOfTheFirstKey() throws {
    #expect(try read([0xEF, 0xBB, 0xBF] + Array(Self.plain.utf8)) == expected())
    for (mark, isBig) in [([0xFF, 0xFE], false), ([0xFE, 0xFF], true)] as [([UInt8], Bool)] {
      let units = Self.plain.utf16.flatMap { unit in
        let bytes = [UInt8(unit & 0xFF), UInt8(unit >> 8)]
        return isBig ? bytes.reversed() : bytes
      }
      #expect(try read(mark + units) == expected())
    }
  }

  @Test func aMarkDoesNotMoveTheLineOfAnError() throws {
    let error = try #require(throws: ConfigurationError.self) {
      try Configuration(yaml: "\u{FEFF}train:\n  batch: 0\n", name: "run.yaml")
    }
    #expect(error.description.hasPrefix("run.yaml:2: train.batch is 0"))
  }

  @Test func valuesMayBeInQuotes() throws {
    #expect(try Configuration(yaml: Self.quoted, name: "quoted.yaml") == expected())
  }

  @Test func quotesDoNotMakeANumberOfAWord() throws {
    let error = try #require(throws: ConfigurationError.self) {
      try Configuration(yaml: "train:\n  batch: 'many'\n", name: "run.yaml")
    }
    #expect(
      error.description
        == "run.yaml:2: train.batch is the text \"many\"; expected a whole number; the default is 512"
    )
  }

  @Test(arguments: ["\n", "\r\n", "\r"])
  func linesMayEndAsTheyDoElsewhere(end: String) throws {
    let text = Self.plain.replacing("\n", with: end)
    #expect(try Configuration(yaml: text, name: "plain.yaml") == expected())
  }

  @Test(arguments: [
    ("true", true), ("True", true), ("TRUE", true), ("false", false), ("False", false),
  ])
  func truthIsSpeltAsInYAML(text: String, value: Bool) throws {
    let yaml = "checkpoint: {async: \(text)}"
    #expect(try Configuration(yaml: yaml, name: "").checkpoint.async == value)
  }

  @Test func jsonIsRead() throws {
    let object: [String: Any] = [
      "model": ["resolution": 16, "channels": [32, 32], "blocks": [1, 1]],
      "data": ["kind": "shapes", "path": "data", "augment": 0],
      "train": ["images": 64, "batch": 16, "precision": "fp32"],
      "optimizer": ["lr": 0.001, "warmup": "0"], "ema": [["name": "a", "half_life": 1_000]],
      "checkpoint": ["async": false],
    ]
    for options in [[], .prettyPrinted, [.prettyPrinted, .sortedKeys]]
      as [JSONSerialization.WritingOptions]
    {
      let json = try JSONSerialization.data(withJSONObject: object, options: options)
      #expect(try read(Array(json)) == expected())
      #expect(try read([0xEF, 0xBB, 0xBF] + Array(json)) == expected())
      let tabs = String(decoding: json, as: UTF8.self).replacing("  ", with: "\t")
      #expect(try Configuration(yaml: tabs, name: "tabs.json") == expected())
    }
  }

  @Test func jsonEscapesAndNothing() throws {
    let json =
      #"{"data": {"path": "\ud83d\ude00\/\u00fc\\ud83d\n", "validation": null}, "ema": []}"#
    let configuration = try Configuration(yaml: json, name: "escapes.json")
    #expect(configuration.data.path == "😀/ü\\ud83d\n")
    #expect(configuration.data.validation.isEmpty && configuration.ema.isEmpty)
    #expect(try Configuration(yaml: #"{"model": null}"#, name: "") == Configuration())
    let word = try Configuration(yaml: #"{"data": {"path": "null"}}"#, name: "")
    #expect(word.data.path == "null")
  }

  @Test func aWrongValueInJSONNamesItsLine() throws {
    let error = try #require(throws: ConfigurationError.self) {
      try Configuration(yaml: "{\n\"train\": {\n\"batch\": \"x\"}}", name: "run.json")
    }
    #expect(error.description.hasPrefix("run.json:3: train.batch is the text \"x\""))
  }
}

@Suite("Aliases in settings")
struct ConfigurationAliasTests {
  private func alias(in yaml: String) -> ConfigurationError? {
    let error = #expect(throws: ConfigurationError.self, "\(yaml)") {
      try Configuration(yaml: yaml, name: "run.yaml")
    }
    if case .alias = error { return error }
    Issue.record("\(yaml): \(String(describing: error))")
    return nil
  }

  @Test(arguments: [
    ("model:\n  channels: &a [32, 32]\n  blocks: *a\n", 3), ("a: &x 1\n*x : 2\n", 2),
    ("--- [&a 1, *a]", 1), ("--- {a: &a 1,\nb: *a}", 2), ("ema:\n- &a {name: b}\n- *a\n", 3),
    ("? *a\n: 1", 1), ("a: 'it''s'\nb: \"say \\\"*no\\\"\"\nc: *yes", 3), ("<<: *a", 1),
    ("a: it's\nb: *a", 2), ("a: x # 'open\nb: *a", 2), ("a: |\n  text *no\n  'open\nb: *a", 4),
    ("- a: |\n    text\n  b: *a", 3), ("- |\n text\n- *a", 3), ("a: !!seq *a", 1),
    ("a: [b,*a]", 1), ("{\"a\":*a}", 1), ("a: b\r*a : c", 2), ("a: b\u{2028}*a : c", 2),
    ("a: >-\n\n   folded\n\n   more\nb: *a", 6),
  ])
  func theyAreRefusedWithTheirLine(yaml: String, line: Int) throws {
    let error = try #require(alias(in: yaml))
    #expect(error.description.hasPrefix("run.yaml:\(line): the alias *"), "\(yaml): \(error)")
    #expect(!error.description.contains("\n"))
  }

  @Test(arguments: [
    "'*a'", "\"*a\"", "a *b", "a*", "|-\n    *a\n    'x", "\"a\\\"\n    *b\"", "'a\n    *b'",
    "x # *a", "x&y", "&anchor x", "*",
  ])
  func starsInTextsAreTexts(value: String) throws {
    let yaml = "data:\n  path: \(value)\n  augment: 0\n"
    if value == "*" {
      #expect(throws: ConfigurationError.self) { try Configuration(yaml: yaml, name: "") }
    } else {
      #expect(try Configuration(yaml: yaml, name: "").data.augment == 0)
    }
  }

  @Test func nestedAliasesTakeNoTime() throws {
    var yaml = "x0: &x0 [1, 1]\n"
    for level in 1...30 {
      yaml += "x\(level): &x\(level) [*x\(level - 1), *x\(level - 1)]\n"
    }
    let start = ContinuousClock.now
    for use in ["model: {blocks: *x30}\n", "? *x30\n: 1\n", "*x30 : 1\n"] {
      _ = try #require(alias(in: yaml + use))
    }
    #expect(ContinuousClock.now - start < .seconds(5))
    _ = #expect(throws: ConfigurationError.self) {
      try Configuration(yaml: "", name: "", overrides: ["model.blocks=[&a 1, *a]"])
    }
  }

  @Test(arguments: ["[", "{a: ", "- ", "? "])
  func deepNestingIsRefused(opening: String) throws {
    for count in [40, 100_000] {
      let yaml = "model: 1\nx:\n  " + String(repeating: opening, count: count)
      let error = try #require(throws: ConfigurationError.self) {
        try Configuration(yaml: yaml, name: "run.yaml")
      }
      guard case .malformedYAML("run.yaml:3", let problem) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(problem.contains("inside each other"))
    }
  }

  @Test func longListsAreShownInShort() throws {
    let many = Array(repeating: "[x, [y]]", count: 1_000).joined(separator: ", ")
    let error = try #require(throws: ConfigurationError.self) {
      try Configuration(yaml: "model: {blocks: [\(many)]}", name: "run.yaml")
    }
    #expect(error.description.count < 300)
  }
}
