import Datasets
import FileFormats
import Foundation
import ProcessSupport
import Testing

extension EndToEndTests {
  /// `diffit data convert` and `diffit data info`, and training on what they make and read.
  @Suite("Converting") struct ConvertTests {
    let scene: Scene

    init() throws { scene = try Scene() }

    /// Two classes of drawn shapes in mixed sizes.
    private func writeSource(_ count: Int, side: Int = 48) throws {
      let shapes = ShapesDataset(resolution: side, count: count)
      for index in 0..<count {
        let folder = scene.path("source/\(index % 2 == 0 ? "even" : "odd")")
        try FileManager.default.createDirectory(
          atPath: folder, withIntermediateDirectories: true)
        let image = try shapes.image(index).image
        let part = image.cropped(left: 0, top: 0, width: side - index % 7, height: side)
        try ImageFile.writePNG(part, to: "\(folder)/\(String(format: "%04d", index)).png")
      }
    }

    private func command(_ out: String, _ more: [String] = []) throws -> Command {
      try Diffit.command(
        ["data", "convert", scene.path("source"), "--out", scene.path(out), "--resolution", "16"]
          + more)
    }

    @discardableResult private func convert(
      _ out: String, ranks: Int = 0, _ more: String...
    ) throws -> Outcome {
      let outcome = try command(out, more).onRanks(ranks).run()
      try #require(outcome.code == 0, "\(outcome.errors)")
      return outcome
    }

    private func report(_ name: String) throws -> [String: Any] {
      try #require(try JSONSerialization.jsonObject(with: scene.bytes(name)) as? [String: Any])
    }

    @Test func theSameBytesOnAnyRanksAndThenTraining() throws {
      try writeSource(37)
      let said = try convert("one.zip", ranks: 0, "--json", scene.path("one.json"))
      #expect(said.output.contains("wrote 37 images to \(scene.path("one.zip"))"))
      let results = try report("one.json")
      #expect(results["images"] as? Int == 37 && results["broken"] as? Int == 0)
      #expect(results["classes"] as? Int == 2 && results["converted"] as? Int == 37)
      #expect(try #require(results["images_per_second"] as? Double) > 0)
      for ranks in [2, 4] {
        try convert("other-\(ranks).zip", ranks: ranks)
        #expect(try scene.bytes("one.zip") == scene.bytes("other-\(ranks).zip"))
        #expect(!scene.exists("other-\(ranks).zip.partial"))
      }

      // The folder is the archive unpacked.
      try convert("folder", ranks: 2)
      #expect(scene.names(in: "folder") == ["00000", "dataset.json"])
      let folder = try ImageSource(path: scene.path("folder"))
      let archive = try ImageSource(path: scene.path("one.zip"))
      #expect(archive.classNames == ["even", "odd"] && folder.classNames == archive.classNames)
      for index in 0..<37 {
        #expect(try folder.images.image(index) == archive.images.image(index))
        #expect(try folder.label(of: index) == archive.label(of: index))
        #expect(try archive.label(of: index) == (index < 19 ? 0 : 1))
      }
      // Packing what is packed already changes no image.
      try FileManager.default.removeItem(atPath: scene.path("source"))
      try scene.copy("folder", to: "source")
      try convert("again.zip")
      #expect(try scene.bytes("again.zip") == scene.bytes("one.zip"))

      // A step or two on it, with held-out images of the same kind.
      let run = RunFolder(scene, "run")
      try run.train(
        "data.kind=packed", "data.path=\(scene.path("one.zip"))",
        "data.validation=\(scene.path("folder"))", "model.classes=2", "train.images=32", ranks: 2)
      let loss = try Diffit.run(
        "evaluate", run.path, "--metrics", "loss", "--samples", "8", "--json", "-")
      #expect(loss.code == 0 && loss.output.contains("\"loss\""), "\(loss.errors)")
    }

    /// Killed with -9, and started again on other ranks.
    @Test func goesOnWhereItWasKilled() throws {
      try writeSource(300, side: 160)
      let size = ["--resolution", "320"]
      let whole = try command("whole.zip", size).onRanks(2).run()
      try #require(whole.code == 0, "\(whole.errors)")
      func made() -> Int { scene.names(in: "half.zip.partial/00000").count }
      let killed = try command("half.zip", size).onRanks(2).run { running in
        try running.wait(until: "ten images") { made() >= 10 }
        for process in try running.children(of: running.processID) { kill(process, SIGKILL) }
      }
      #expect(killed.code != 0)
      #expect(made() < 300 && !scene.exists("half.zip"), "it ended before it could be killed")
      try expectRefusal(
        2, command("half.zip", ["--resolution", "319"]),
        saying: "half.zip.partial", "resolution was 320, is 319")
      let said = try command("half.zip", size + ["--json", scene.path("half.json")]).onRanks(4)
        .run()
      try #require(said.code == 0, "\(said.errors)")
      #expect(said.output.contains("of 300 are there already"))
      #expect(try #require(report("half.json")["converted"] as? Int) < 300)
      #expect(try scene.bytes("half.zip") == scene.bytes("whole.zip"))
    }

    @Test func theBrokenAreListedAndLeftOut() throws {
      try writeSource(9)
      try Data("no image".utf8).write(
        to: URL(fileURLWithPath: scene.path("source/even/0000.png")))
      // Its header is whole.
      let cut = try scene.bytes("source/odd/0001.png")
      try cut.prefix(cut.count / 2).write(to: URL(fileURLWithPath: scene.path("source/odd/x.png")))
      for ranks in [0, 2] {
        let refused = try command("out-\(ranks).zip", ["--max-broken", "1", "--json", "-"])
          .onRanks(ranks).run()
        #expect(refused.code == 1)
        #expect(refused.errors.contains("2 broken, expected at most 1"), "\(refused.errors)")
        #expect(refused.errors.contains("broken: \(scene.path("source/even/0000.png")): neither"))
        #expect(refused.errors.contains("broken: \(scene.path("source/odd/x.png")): "))
        let results = try #require(
          try JSONSerialization.jsonObject(with: Data(refused.output.utf8)) as? [String: Any])
        let broken = try #require(results["broken_images"] as? [[String: Any]])
        #expect(broken.compactMap { $0["index"] as? Int } == [0, 9])
        #expect(broken.allSatisfy { ($0["reason"] as? String)?.isEmpty == false })
        #expect(!scene.exists("out-\(ranks).zip"))
        // What was converted is kept.
        let said = try convert("out-\(ranks).zip", ranks: ranks, "--max-broken", "2")
        #expect(said.output.contains("8 of 10 are there already"))
        #expect(said.output.contains("wrote 8 images"))
        #expect(said.output.contains("2 broken images left out"))
      }
      #expect(try scene.bytes("out-0.zip") == scene.bytes("out-2.zip"))
      let packed = try ImageSource(path: scene.path("out-0.zip"))
      // Names tell the place in the source; the lost leave gaps.
      #expect(packed.images.name(of: 0).hasSuffix("img00000001.png") && packed.count == 8)

      let info = try Diffit.run("data", "info", scene.path("source"), "--json", "-")
      #expect(info.code == 1 && info.errors.contains("images are broken"))
      let found = try #require(
        try JSONSerialization.jsonObject(with: Data(info.output.utf8)) as? [String: Any])
      #expect(found["broken"] as? Int == 1 && found["images"] as? Int == 10)
      let deep = try Diffit.run("data", "info", scene.path("source"), "--decode", "--json", "-")
      #expect(deep.code == 1 && deep.output.contains("\"broken\" : 2"))
      let good = try Diffit.run("data", "info", scene.path("out-0.zip"))
      #expect(good.code == 0 && good.output.contains("classes   2, of 4"), "\(good.output)")
      #expect(good.output.contains("kind      packed") && good.output.contains("broken    none"))
    }

    @Test func theFirstImages() throws {
      try writeSource(9)
      try convert("few.zip", ranks: 2, "--max-images", "3", "--transform", "stretch")
      #expect(try ImageSource(path: scene.path("few.zip")).count == 3)
    }
  }
}

extension RefusalTests {
  @Suite("Bad data sets") struct BadDataTests {
    let scene: Scene

    init() throws { scene = try Scene() }

    private func convert(_ more: [String]) throws -> Command {
      try Diffit.command(
        ["data", "convert", scene.path("data"), "--out", scene.path("out.zip")] + more)
    }

    private func training(_ kind: String, _ name: String) throws -> Command {
      try Diffit.training(
        scene.path("run"),
        ["data.kind=\(kind)", "data.path=\(scene.path(name))", "model.classes=0"])
    }

    @Test func options() throws {
      try expectRefusal(
        2, convert(["--resolution", "0"]), saying: "--resolution", "1 to 8192")
      try expectRefusal(
        2, convert(["--resolution", "8", "--filter", "box"]), saying: "--filter", "its own")
      try expectRefusal(
        2, convert(["--resolution", "8", "--max-broken=-1"]), saying: "--max-broken", "0 or more")
      let unknown = try convert(["--resolution", "8", "--transform", "fold"]).run()
      #expect(unknown.code == 2 && unknown.errors.contains("fold"))
    }

    @Test func anOutputThatIsThere() throws {
      try Pictures.writeFolder(scene.path("data"))
      try Data().write(to: URL(fileURLWithPath: scene.path("out.zip")))
      try expectRefusal(
        2, convert(["--resolution", "8"]), saying: "out.zip is there already", "remove it")
    }

    @Test func aWorkFolderOfUnknownOrigin() throws {
      try Pictures.writeFolder(scene.path("data"))
      try Pictures.writeFolder(scene.path("out.zip.partial"))
      try expectRefusal(2, convert(["--resolution", "8"]), saying: "no convert.json")
    }

    @Test func aClassFolderWithoutImages() throws {
      try Pictures.writeFolder(scene.path("data"))
      try FileManager.default.createDirectory(
        atPath: scene.path("data/empty"), withIntermediateDirectories: true)
      try expectRefusal(
        1, convert(["--resolution", "8"]), saying: "class folder", "data/empty has no image")
      try expectRefusal(1, training("folder", "data"), saying: "data/empty has no image")
    }

    @Test func labelsMissing() throws {
      let zip = try ZipWriter(scene.path("data.zip"))
      let png = try ImageFile.storedPNG(try ShapesDataset(resolution: 16).image(0).image)
      try zip.add("00000/img00000000.png", png)
      try zip.add("dataset.json", Data("{\"labels\": []}".utf8))
      try zip.finish()
      try expectRefusal(
        1, training("packed", "data.zip"), saying: "img00000000.png", "dataset.json")
    }

    @Test func aTarCutOff() throws {
      // A header and the first bytes of an image.
      try Data(repeating: 7, count: 700).write(to: URL(fileURLWithPath: scene.path("data.tar")))
      try expectRefusal(1, training("tar", "data.tar"), saying: "data.tar", "cut off")
    }
  }
}
