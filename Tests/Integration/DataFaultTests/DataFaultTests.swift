import Datasets
import FileFormats
import FixtureSupport
import Foundation
import ProcessSupport
import SystemSupport
import Testing

/// What the program does with data that are incomplete, odd, or change while it runs.
@Suite(.serialized) struct DataFaultTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func path(_ name: String) -> String { "\(folder.path)/\(name)" }

  private func run(_ words: String..., ranks: Int = 0) throws -> Outcome {
    try Command([Command.product("diffit")] + words).onRanks(ranks).run()
  }

  /// One line on standard error with these parts, and the exit code.
  private func expectRefusal(_ outcome: Outcome, _ code: Int32, _ parts: String...) {
    #expect(outcome.code == code, "\(outcome.errors)")
    #expect(outcome.complaints.count == 1, "\(outcome.errors)")
    for part in parts { #expect(outcome.errors.contains(part), "\(part): \(outcome.errors)") }
  }

  private func writeClasses(_ images: Int = 3) throws {
    for index in 0..<images {
      try folder.write(ImageFixtures.png(UInt8(index)), "in/a/\(index).png")
      try folder.write(ImageFixtures.png(UInt8(100 + index)), "in/b/deep/\(index).png")
    }
  }

  private func train(_ kind: String, _ data: String, _ settings: String...) throws -> Command {
    let standard = [
      "data.kind=\(kind)", "data.path=\(path(data))", "data.augment=0", "sample.every=0",
      "checkpoint.every=0", "train.batch=4", "train.threads=1",
    ]
    return Command(
      [try Command.product("diffit"), "train", "--config", Repository.path("configs/debug.yaml")]
        + ["--run", path("run")] + (standard + settings).flatMap { ["--set", $0] })
  }

  @Test func whatIsLeftOutIsTold() throws {
    try writeClasses()
    try folder.write(Data("x".utf8), "in/a/x.webp")
    try folder.write(Fixtures.rgbPNG, "in/a/.hidden.png")
    let left = "1 .webp, 1 hidden"
    let info = try run("data", "info", path("in"))
    #expect(info.code == 0 && info.output.contains("left out  \(left)"), "\(info.output)")
    let json = try run("data", "info", path("in"), "--json", "-")
    let facts = try #require(
      try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    #expect(facts["left_out"] as? [String: Int] == [".webp": 1, "hidden": 1])
    let converted = try run(
      "data", "convert", path("in"), "--out", path("out.zip"), "--resolution", "8", ranks: 2)
    #expect(converted.code == 0 && converted.output.contains("left out: \(left)"))
    let trained = try train("folder", "in", "model.classes=2", "train.images=4").run()
    #expect(trained.code == 0 && trained.output.contains("left out: \(left)"), "\(trained.errors)")
    let evaluated = try run(
      "evaluate", path("in"), "--metrics", "fd_random", "--reference", path("in"), "--samples", "6")
    #expect(evaluated.output.contains("left out in \(path("in")): \(left)"), "\(evaluated.errors)")
  }

  @Test func labelsThatWouldVanish() throws {
    try writeClasses()
    try folder.write(Fixtures.rgbPNG, "in/cover.png")
    expectRefusal(
      try run("data", "convert", path("in"), "--out", path("out.zip"), "--resolution", "8"), 1,
      path("in"), "found 1 image, such as cover.png, beside 2 folders")
  }

  /// Images that are cut short in the work folder are made again, and never packed.
  @Test func stumpsOfAConversion() throws {
    try writeClasses()
    let command = ["data", "convert", path("in"), "--resolution", "8", "--out"]
    let program = try Command.product("diffit")
    #expect(try Command([program] + command + [path("whole.zip")]).run().code == 0)
    // A broken image keeps the work folder.
    try folder.write(Data("x".utf8), "in/b/deep/2.png")
    #expect(try Command([program] + command + [path("out.zip")]).run().code == 1)
    try folder.write(ImageFixtures.png(102), "in/b/deep/2.png")
    let stump = path("out.zip.partial/00000/img00000001.png")
    let bytes = try Data(contentsOf: URL(fileURLWithPath: stump))
    for damaged in [
      bytes.prefix(bytes.count / 2), Data(), bytes.prefix(40) + Data(count: bytes.count - 40),
    ] {
      try damaged.write(to: URL(fileURLWithPath: stump))
      let again = try Command([program] + command + [path("out.zip")]).run()
      #expect(again.code == 0, "\(again.errors)")
      #expect(again.output.contains("4 of 6 are there already"), "\(again.output)")
      #expect(
        try Data(contentsOf: URL(fileURLWithPath: path("out.zip")))
          == Data(contentsOf: URL(fileURLWithPath: path("whole.zip"))))
      try FileManager.default.removeItem(atPath: path("out.zip"))
      try folder.write(Data("x".utf8), "in/b/deep/2.png")
      #expect(try Command([program] + command + [path("out.zip")]).run().code == 1)
      try folder.write(ImageFixtures.png(102), "in/b/deep/2.png")
    }
  }

  @Test func stumpsOfSamples() throws {
    let trained = try train("shapes", "none", "train.images=4").run()
    try #require(trained.code == 0, "\(trained.errors)")
    let sampling = [
      try Command.product("diffit"), "sample", path("run"), "--seeds", "0-3", "--steps", "2",
      "--out", path("out"),
    ]
    #expect(try Command(sampling).run().code == 0)
    let image = path("out/000000/000002.png")
    let bytes = try Data(contentsOf: URL(fileURLWithPath: image))
    try bytes.dropLast(20).write(to: URL(fileURLWithPath: image))
    let again = try Command(sampling).run()
    #expect(again.output.contains("3 of 4 are there already"), "\(again.output)\(again.errors)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: image)) == bytes)
  }

  /// Data that another process cuts short end the job with one line, and are no crash that
  /// `--restarts` would answer.
  @Test(arguments: [0, 2]) func dataThatShrink(ranks: Int) throws {
    for file in 1...5 {
      try folder.write(Data(count: 3073 * 400), "cifar/data_batch_\(file).bin")
    }
    var command = try train(
      "cifar10", "cifar", "model.resolution=32", "train.images=100M", "log.every=4")
    command.seconds = 120
    let outcome = try command.onRanks(ranks).run { running in
      try running.wait(until: "the first steps") { running.output.contains("12 images  loss") }
      for file in 1...5 {
        try #require(truncate(self.path("cifar/data_batch_\(file).bin"), 0) == 0)
      }
    }
    #expect(outcome.code == 1, "\(outcome.code) \(outcome.errors)")
    #expect(outcome.errors.contains("/cifar/data_batch_"), "\(outcome.errors)")
    #expect(
      outcome.errors.contains("it was cut short, or its disk failed, while it was being read"))
    #expect(!outcome.errors.contains("Signal") && !outcome.errors.contains("ignal: Bus"))
    if ranks == 0 { #expect(outcome.complaints.count == 1, "\(outcome.errors)") }
  }

  @Test func aFlippedByteOfStoredArrays() throws {
    let file = path("a.npz")
    let writer = try NPZWriter(file)
    let pixels = [UInt8](repeating: 7, count: 16 * 8 * 8 * 3)
    try writer.add("arr_0", NumPyArray(pixels, shape: [16, 8, 8, 3]))
    try writer.finish()
    var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: URL(fileURLWithPath: file))
    expectRefusal(
      try run("data", "info", file, "--decode"), 1, file, "checksum of arr_0.npy is wrong")
    expectRefusal(
      try run("evaluate", file, "--metrics", "fd_random", "--reference", file, "--samples", "8"), 1,
      file, "checksum of arr_0.npy is wrong")
    #expect(try run("data", "info", file).code == 0)
  }

  @Test func outputsOfAnotherFormat() throws {
    let image = try folder.write(Fixtures.rgbPNG, "x.png")
    for words in [
      ["noise", image, "--out", path("g.jpg")],
      ["sample", path("none"), "--seeds", "0", "--out", path("o"), "--grid", path("g.jpg")],
      ["sample", path("none"), "--seeds", "0", "--out", path("o"), "--trajectory", path("g.gif")],
      ["sample", path("none"), "--seeds", "0", "--out", path("x.tiff")],
      ["data", "convert", path("none"), "--resolution", "8", "--out", path("x.tgz")],
      ["data", "encode", path("none"), "--vae", "v", "--resolution", "8", "--out", path("x.zip")],
    ] {
      let outcome = try Command([Command.product("diffit")] + words).run()
      expectRefusal(outcome, 2, "expected", words.last ?? "")
    }
  }

  /// An argument, folders and files whose names are not UTF-8.
  @Test func namesInLatin1() throws {
    let name: [UInt8] = Array("caf".utf8) + [0xE9]
    let source = path(FileName.text(name))
    for part in [source, source + "/a"] {
      let made = FileName.withPath(part) { mkdir($0, 0o777) }
      try #require(made == 0)
    }
    let image = try folder.write(Fixtures.rgbPNG, "x.png")
    let linked = FileName.withPath(source + "/a/" + FileName.text([0xE9, 0x2E]) + "png") {
      symlink(image, $0)
    }
    try #require(linked == 0)
    // A shell hands on the bytes, which Foundation would change.
    let script = "exec \"$0\" data info \"$(printf '%s/caf\\351' \"$1\")\""
    let info = try Command(["bash", "-c", script, Command.product("diffit"), folder.path]).run()
    #expect(info.code == 0 && info.output.contains("images    1"), "\(info.errors)")
    #expect(info.output.contains("caf\\xE9"), "\(info.output)")
  }
}
