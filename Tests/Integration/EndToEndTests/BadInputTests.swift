import Foundation
import ProcessSupport
import Testing

extension RefusalTests {
  /// Whatever is wrong: one line that names it, the right exit code, on one rank and on two, at once.
  @Suite("Bad input") struct BadInputTests {
    let scene: Scene

    init() throws { scene = try Scene() }

    private func training(_ settings: String..., options: [String] = []) throws -> Command {
      try Diffit.training(scene.path("run"), settings, options: options)
    }

    // MARK: Usage and configuration: 2, and no run directory.

    @Test func anUnknownKey() throws {
      try expectRefusal(
        2, training("model.widow=4"), saying: "unknown key model.widow", "model.window")
      let file = scene.path("bad.yaml")
      try Data("model:\n  chanels: [16]\n".utf8).write(to: URL(fileURLWithPath: file))
      try expectRefusal(
        2, Diffit.command(["train", "--config", file, "--run", scene.path("run")]),
        saying: "bad.yaml:2", "model.chanels", "model.channels")
      #expect(!scene.exists("run"))
    }

    @Test func aWrongType() throws {
      try expectRefusal(
        2, training("model.window=big"), saying: "model.window is big", "a whole number")
      #expect(!scene.exists("run"))
    }

    @Test func aWindowThatDoesNotDivideAStage() throws {
      try expectRefusal(
        2, training("model.window=3"), saying: "model.window is 3", "1, 2, 4, 8, 16")
    }

    @Test func aHeadWidthThatDoesNotDivideTheChannels() throws {
      try expectRefusal(2, training("model.head_dim=12"), saying: "model.head_dim is 12", "16")
    }

    @Test func anUnknownOption() throws {
      try expectRefusal(
        2, Diffit.command(["train", "--nosuch"]), saying: "'--nosuch'", "diffit train --help")
    }

    @Test func moreRanksThanImagesInABatch() throws {
      let outcome = try training("train.batch=1", "train.micro_batch=0").onRanks(2).run()
      #expect(outcome.code == 2 && outcome.complaints.count == 1)
      #expect(outcome.errors.contains("train.batch") && !scene.exists("run"))
    }

    // MARK: Data: 1, and no run directory.

    @Test(arguments: ["cifar10", "folder"]) func noData(kind: String) throws {
      try expectRefusal(
        1,
        training(
          "data.kind=\(kind)", "data.path=\(scene.path("none"))", "model.resolution=32",
          "model.classes=0"), saying: scene.path("none"), "data.path")
      #expect(!scene.exists("run"))
    }

    private func cifar() throws -> Command {
      try training("data.kind=cifar10", "data.path=\(scene.path("data"))", "model.resolution=32")
    }

    @Test func aTruncatedFile() throws {
      try Pictures.writeCIFAR(scene.path("data"))
      let file = try FileHandle(
        forWritingTo: URL(fileURLWithPath: scene.path("data/data_batch_3.bin")))
      try file.truncate(atOffset: 5000)
      try expectRefusal(1, cifar(), saying: "data_batch_3.bin", "5000 bytes", "3073")
      #expect(!scene.exists("run"))
    }

    @Test func aLabelOutOfRange() throws {
      try Pictures.writeCIFAR(scene.path("data"))
      try scene.flipByte("data/data_batch_2.bin", at: 3073)
      try expectRefusal(1, cifar(), saying: "data_batch_2.bin", "record 1", "0 to 9")
    }

    private func pictures(_ classes: Int = 2) throws -> Command {
      try training(
        "data.kind=folder", "data.path=\(scene.path("data"))", "model.classes=\(classes)")
    }

    @Test func aBrokenJPEG() throws {
      try Pictures.writeFolder(scene.path("data"))
      let path = URL(fileURLWithPath: scene.path("data/light/9.jpg"))
      try Pictures.jpeg.write(to: path)
      let good = try pictures().run()
      try #require(good.code == 0, "\(good.errors)")
      try FileManager.default.removeItem(atPath: scene.path("run"))
      try Data(Pictures.jpeg.prefix(60)).write(to: path)
      try expectRefusal(1, pictures(), saying: "data/light/9.jpg", "replace or remove it")
      #expect(!scene.exists("run"))
    }

    /// Its header is good, so that only reading it tells; whichever rank does.
    @Test func anImageBrokenBehindItsHeader() throws {
      try Pictures.writeFolder(scene.path("data"))
      let path = URL(fileURLWithPath: scene.path("data/light/1.png"))
      let whole = try Data(contentsOf: path)
      try Data(whole.prefix(whole.count / 2)).write(to: path)
      try expectRefusal(1, pictures(), saying: "data/light/1.png", "replace or remove it")
      #expect(try RunFolder(scene, "run").text("log.txt").contains("light/1.png"))
    }

    @Test func anotherNumberOfClasses() throws {
      try Pictures.writeFolder(scene.path("data"))
      try expectRefusal(2, pictures(3), saying: "model.classes: 3", "2 classes")
    }

    // MARK: Training.

    @Test func aGradientThatIsNotFinite() throws {
      try expectRefusal(
        1,
        training("optimizer.lr=1e30", "optimizer.warmup=0", "optimizer.on_nonfinite=stop"),
        saying: "not finite", "optimizer.on_nonfinite")
    }

    @Test func skippedUpdatesAreCounted() throws {
      let run = RunFolder(scene, "run")
      let outcome = try training("optimizer.lr=1e30", "optimizer.warmup=0").onRanks(2).run()
      #expect(outcome.code == 0)
      #expect(outcome.complaints.dropLast().allSatisfy { $0.contains("update skipped") })
      #expect(outcome.complaints.count == 6)
      #expect(outcome.complaints.last?.contains("5 of the run's 6 updates were left out") == true)
      #expect(try run.rows.map(\.skipped) == [0, 1, 2, 3, 4, 5])
      try run.train("optimizer.lr=1e30", "optimizer.warmup=0", "train.images=128", ranks: 2)
      #expect(try run.rows.last?.skipped == 7)
    }
  }
}
