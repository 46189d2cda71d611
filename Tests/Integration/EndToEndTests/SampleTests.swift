import FileFormats
import Foundation
import ProcessSupport
import Testing

extension EndToEndTests {
  /// `diffit sample`: files, grids and trajectories.
  @Suite("Sampling") struct SampleTests {
    let scene: Scene
    let run: RunFolder

    init() throws {
      scene = try Scene()
      run = RunFolder(scene, "run")
      try run.train("train.images=48")
    }

    private func command(_ seeds: String, to out: String, _ more: [String] = []) throws -> Command {
      try Diffit.command(
        ["sample", run.path, "--seeds", seeds, "--steps", "3", "--out", scene.path(out)] + more)
    }

    @discardableResult private func sample(
      _ seeds: String, to out: String, ranks: Int = 0, _ more: String...
    ) throws -> Outcome {
      let outcome = try command(seeds, to: out, more).onRanks(ranks).run()
      try #require(outcome.code == 0, "\(outcome.errors)")
      return outcome
    }

    /// Every file below a folder, by relative path.
    private func files(in folder: String) throws -> [String: Data] {
      let names = try FileManager.default.subpathsOfDirectory(atPath: scene.path(folder))
      var found: [String: Data] = [:]
      for name in names where name.contains(".") {
        found[name] = try scene.bytes("\(folder)/\(name)")
      }
      return found
    }

    @Test func anImageIsAFunctionOfItsSeed() throws {
      let said = try sample("0-5,1040", to: "one", "--grid", scene.path("one.png"))
      let grid = scene.path("one.png")
      #expect(
        said.output.hasSuffix("wrote 7 PNG files in \(scene.path("one")), the grid \(grid)\n"))
      let expected = try files(in: "one")
      let names = (0...5).map { "000000/00000\($0).png" } + ["001000/001040.png", "samples.json"]
      #expect(Set(expected.keys) == Set(names))
      #expect(Set(expected.values).count == names.count)
      for (index, (ranks, batch)) in [(1, "5"), (2, "16"), (4, "5"), (3, "1")].enumerated() {
        try sample("1040,3-5,0-2", to: "other-\(index)", ranks: ranks, "--batch", batch)
        #expect(try files(in: "other-\(index)") == expected, "\(ranks) ranks, batch \(batch)")
      }
      let picture = try ImageFile.read(grid)
      #expect(picture.width == picture.height && Set(picture.pixels).count > 8)
      try sample("0-5,1040", to: "two", ranks: 2, "--grid", scene.path("two.png"))
      #expect(try scene.bytes("one.png") == scene.bytes("two.png"))
    }

    @Test(arguments: [
      ["--ema", "raw"], ["--class", "3"], ["--guidance", "4"],
      ["--guidance", "4", "--guidance-interval", "1,10"], ["--churn", "10"],
      ["--sampler", "euler"], ["--sampler", "ddpm"], ["--sampler", "ddim", "--eta", "0.5"],
      ["--sampler", "dpm++"],
    ]) func whatElseDecides(options: [String]) throws {
      try sample("7", to: "plain")
      let outcome = try command("7", to: "other", options).run()
      #expect(outcome.code == 0, "\(outcome.errors)")
      let name = "000000/000007.png"
      #expect(try scene.bytes("other/\(name)") != scene.bytes("plain/\(name)"))
    }

    /// Killed with -9, and started again on other ranks.
    @Test func goesOnWhereItWasKilled() throws {
      try sample("0-79", to: "whole")
      let expected = try files(in: "whole")
      let folder = scene.path("half/000000")
      func drawn() -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
          .filter { $0.hasSuffix(".png") }
      }
      let killed = try command("0-79", to: "half", ["--batch", "2"]).onRanks(2).run { running in
        try running.wait(until: "six images") { drawn().count >= 6 }
        let ranks = try running.children(of: running.processID)
        for process in ranks { kill(process, SIGKILL) }
      }
      #expect(killed.code != 0)
      #expect(drawn().count < 80, "it ended before it could be killed")
      let said = try sample("0-79", to: "half", ranks: 4, "--batch", "16")
      #expect(said.output.contains("of 80 are there already"))
      #expect(try files(in: "half") == expected)
    }

    @Test func archives() throws {
      try sample("0-6", to: "folder")
      for ending in ["npz", "zip"] {
        try sample("0-6", to: "one.\(ending)")
        // What a killed job has left is taken up.
        try FileManager.default.copyItem(
          atPath: scene.path("folder"), toPath: scene.path("two.\(ending).partial"))
        let said = try sample("0-6", to: "two.\(ending)", ranks: 2)
        #expect(said.output.contains("7 of 7 are there already"))
        #expect(try scene.bytes("one.\(ending)") == scene.bytes("two.\(ending)"))
        #expect(!scene.exists("two.\(ending).partial"))
      }
    }

    @Test func aTrajectoryEndsInTheSample() throws {
      try sample("0-5", to: "out", "--trajectory", scene.path("way.png"))
      let strip = try ImageFile.read(scene.path("way.png"))
      // Four seeds; three states and the sample; pixels enlarged six times, gutters of one.
      #expect(strip.height == 6 * (4 * 17 + 1) && strip.width == 6 * (4 * 17 + 1))
      let sample = try ImageFile.read(scene.path("out/000000/000000.png"))
      let (left, top) = (6 * (1 + 3 * 17), 6)
      for y in 0..<16 {
        for x in 0..<16 {
          let at = ((top + 6 * y) * strip.width + left + 6 * x) * 3
          let from = (y * 16 + x) * 3
          #expect(strip.pixels[at..<at + 3] == sample.pixels[from..<from + 3])
        }
      }
    }

    @Test func otherSamplesAreNotMixedIn() throws {
      try sample("0", to: "out")
      try expectRefusal(
        2, command("1", to: "out", ["--sampler", "euler"]),
        saying: "sampler was heun, is euler", "name another folder")
      try FileManager.default.removeItem(atPath: scene.path("out/samples.json"))
      try expectRefusal(
        2, command("0-3", to: "out"), saying: "000000/000000.png", "no samples.json")
      try Data("{}".utf8).write(to: URL(fileURLWithPath: scene.path("out/samples.json")))
      try expectRefusal(1, command("0", to: "out"), saying: "samples.json: not a record")
    }
  }
}
