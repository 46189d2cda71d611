import Datasets
import FileFormats
import FixtureSupport
import Foundation
import Images
import ProcessSupport
import RunData
import TensorCore
import Testing

/// A small autoencoder, images and latents of them.
struct LatentScene {
  let scene: Scene
  /// Factor 4, 3 latent channels, trained on 16 x 16 pixels: images of 32 x 32 are in tiles.
  let vae: String

  init(images: Int = 22) throws {
    scene = try Scene()
    vae = scene.path("vae")
    for name in ["config.json", "diffusion_pytorch_model.safetensors"] {
      try FileManager.default.createDirectory(atPath: vae, withIntermediateDirectories: true)
      try FileManager.default.copyItem(
        atPath: Repository.path("Tests/Reference/vae/f4/\(name)"), toPath: "\(vae)/\(name)")
    }
    let shapes = ShapesDataset(resolution: 40, count: images)
    for index in 0..<images {
      let folder = scene.path("source/\(index % 2 == 0 ? "even" : "odd")")
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let image = try shapes.image(index).image.cropped(
        left: 0, top: 0, width: 40 - index % 5, height: 40)
      try ImageFile.writePNG(image, to: "\(folder)/\(String(format: "%04d", index)).png")
    }
  }

  /// The same network but for a few weights.
  func writeOtherVAE() throws -> String {
    try scene.copy("vae", to: "other-vae")
    let name = "other-vae/diffusion_pytorch_model.safetensors"
    try scene.flipByte(name, at: try scene.bytes(name).count - 2)
    return scene.path("other-vae")
  }

  func encoding(
    _ out: String, _ more: [String] = [], vae given: String? = nil, resolution: Int = 32
  ) throws -> Command {
    try Diffit.command(
      [
        "data", "encode", scene.path("source"), "--vae", given ?? vae, "--out", scene.path(out),
        "--file-images", "4", "--resolution", "\(resolution)",
      ] + more)
  }

  func encode(_ out: String, ranks: Int = 0, _ more: String...) throws {
    let outcome = try encoding(out, more).onRanks(ranks).run()
    try #require(outcome.code == 0, "\(outcome.errors)")
  }

  /// A latent network of a few thousand parameters.
  func settings(_ latents: String, _ more: [String] = []) -> [String] {
    [
      "data.kind=latents", "data.path=\(scene.path(latents))", "data.augment=0",
      "model.kind=latent", "model.resolution=8", "model.latent_channels=3", "model.width=16",
      "model.depth=1", "model.heads=2", "model.classes=2",
    ] + more
  }

  func training(_ run: String, _ latents: String, _ more: String...) throws -> Command {
    try Diffit.training(scene.path(run), settings(latents, more))
  }

  /// Every file of a folder by name.
  func files(_ folder: String) throws -> [String: Data] {
    let names = try FileManager.default.subpathsOfDirectory(atPath: scene.path(folder))
    return try Dictionary(
      uniqueKeysWithValues: names.filter { $0.contains(".") }.map {
        ($0, try scene.bytes("\(folder)/\($0)"))
      })
  }
}

extension EndToEndTests {
  /// `diffit data encode`, training on what it makes, and images of what is drawn.
  @Suite("Latents") struct LatentTests {
    @Test func theSameBytesOnAnyRanks() throws {
      let latents = try LatentScene()
      let scene = latents.scene
      try latents.encode("one", "--json", scene.path("one.json"))
      let expected = try latents.files("one")
      #expect(expected.count == 7 && expected["latents.json"] != nil)
      for ranks in [2, 4] {
        try latents.encode("other", ranks: ranks, "--batch", "\(ranks)")
        #expect(try latents.files("other") == expected, "\(ranks) ranks")
        #expect(!scene.exists("other.partial"))
        try FileManager.default.removeItem(atPath: scene.path("other"))
      }
      let report = try #require(
        try JSONSerialization.jsonObject(with: scene.bytes("one.json")) as? [String: Any])
      #expect(report["encoded"] as? Int == 22 && report["shape"] as? [Int] == [3, 8, 8])

      // What is in the files is what the autoencoder says of the images.
      let context = ComputeContext()
      let autoencoder = try Autoencoder.open(latents.vae, on: context)
      let dataset = try LatentDataset(path: scene.path("one"), scale: 0)
      #expect(
        dataset.description.vae == autoencoder.digest && dataset.classNames == ["even", "odd"])
      #expect(dataset.count == 22 && dataset.description.factor == 4)
      let source = try ImageSource(path: scene.path("source"))
      let file = try SafetensorsFile(
        URL(fileURLWithPath: scene.path("one/latents-00005-of-00006.safetensors")))
      let stored = [
        ("mean", try file.floats("mean")), ("log_variance", try file.floats("log_variance")),
        ("flipped_mean", try file.floats("flipped_mean")),
      ]
      #expect(try file.integers("labels") == [1, 1])
      for place in 0..<2 {
        let image = try source.images.image(20 + place).centerSquare(resizedTo: 32)
        let (mean, logVariance) = autoencoder.encode([image], on: context)
        var mirrored = image.pixels
        for pixel in 0..<32 * 32 {
          let from = (pixel / 32 * 32 + 31 - pixel % 32) * 3
          mirrored.replaceSubrange(pixel * 3..<pixel * 3 + 3, with: image.pixels[from..<from + 3])
        }
        let flipped = autoencoder.encode(
          [RGBImage(width: 32, height: 32, pixels: mirrored)], on: context
        ).mean
        for (expected, (name, values)) in zip([mean, logVariance, flipped], stored) {
          let turned = (0..<192).map { values[place * 192 + $0 % 3 * 64 + $0 / 3] }
          #expect(turned == expected, "\(name) of \(place)")
        }
      }
      // Drawn with the measured scale, elements have a deviation of 1.
      var (sum, squares, count) = (0.0, 0.0, 0.0)
      for position in 0..<22 * 200 {
        let sample = try dataset.sample(position % 22, seed: 0, position: UInt64(position))
        for value in sample.values {
          sum += Double(value)
          squares += Double(value * value)
          count += 1
        }
      }
      let deviation = (squares / count - (sum / count) * (sum / count)).squareRoot()
      #expect(abs(deviation - 1) < 0.01)

      // Half the bytes, and rounded.
      try latents.encode("half", "--precision", "bf16", "--no-flip")
      let half = try LatentDataset(path: scene.path("half"), scale: 0)
      #expect(!half.description.flips && half.description.precision == .bf16)
      #expect(abs(half.description.scale / dataset.description.scale - 1) < 0.02)
    }

    /// Killed with -9, and started again on other ranks.
    @Test func goesOnWhereItWasKilled() throws {
      let latents = try LatentScene(images: 160)
      let scene = latents.scene
      try latents.encode("whole", ranks: 2)
      func made() -> Int {
        scene.names(in: "half.partial").filter { $0.hasSuffix(".safetensors") }.count
      }
      let killed = try latents.encoding("half").onRanks(2).run { running in
        try running.wait(until: "four files") { made() >= 4 }
        for process in try running.children(of: running.processID) { kill(process, SIGKILL) }
      }
      #expect(killed.code != 0)
      #expect(made() < 40 && !scene.exists("half"), "it ended before it could be killed")
      try refuse(
        2, latents.encoding("half", ["--no-flip"]), saying: "half.partial",
        "flips was true, is false")
      let said = try latents.encoding("half").onRanks(4).run()
      try #require(said.code == 0, "\(said.errors)")
      #expect(said.output.contains("of 160 are there already"))
      #expect(try latents.files("half") == latents.files("whole"))
    }

    @Test func trainingAndImages() throws {
      let latents = try LatentScene()
      let scene = latents.scene
      try latents.encode("latents")
      let run = RunFolder(scene, "run")
      let plain = try latents.training("run", "latents", "sample.every=48", "sample.count=4")
        .onRanks(2).run()
      try #require(plain.code == 0, "\(plain.errors)")
      #expect(plain.output.contains("no grids of samples: data.vae is empty"))
      #expect(try run.rows.allSatisfy { $0.loss.isFinite && $0.loss > 0 })
      #expect(scene.names(in: "run/samples").isEmpty)

      // Stopped half way, gone on with, watched and measured: the same run.
      try Pictures.writeShapes(scene.path("reference"), 0..<16)
      let watched = [
        "data.vae=\(latents.vae)", "sample.every=48", "sample.count=4", "sample.steps=2",
        "metrics.every=48", "metrics.names=fd_random,loss", "metrics.samples=8",
        "metrics.reference=\(scene.path("reference"))",
        "data.validation=\(scene.path("latents"))",
      ]
      for images in [48, 96] {
        let outcome = try Diffit.training(
          scene.path("other"), latents.settings("latents", watched + ["train.images=\(images)"])
        ).onRanks(2).run()
        try #require(outcome.code == 0, "\(outcome.errors)")
      }
      let other = RunFolder(scene, "other")
      try expectSameBits(other, run, images: 96)
      #expect(scene.names(in: "other/samples").count == 4)
      let log = try other.text("log.txt")
      #expect(log.contains("fd_random") && log.contains("loss"))

      // Images, of 32 x 32 pixels in tiles, are those of the latents, on any ranks.
      func sample(_ run: String, _ out: String, _ ranks: Int, _ more: String...) throws -> Outcome {
        try Diffit.command(
          ["sample", scene.path(run), "--seeds", "0-4", "--steps", "2", "--out", scene.path(out)]
            + more
        ).onRanks(ranks).run()
      }
      let drawn = try sample(
        "run", "one", 0, "--vae", latents.vae, "--trajectory", scene.path("way.png"))
      try #require(drawn.code == 0, "\(drawn.errors)")
      let again = try sample("other", "two", 2, "--batch", "2")
      try #require(again.code == 0, "\(again.errors)")
      let (one, two) = (try latents.files("one"), try latents.files("two"))
      for (name, bytes) in one where name.hasSuffix(".png") { #expect(two[name] == bytes) }
      #expect(one.count == 6 && two.count == 6)
      let picture = try ImageFile.read(scene.path("one/000000/000000.png"))
      #expect(picture.width == 32 && picture.height == 32)
      let way = try ImageFile.read(scene.path("way.png"))
      #expect(way.width == 3 * (3 * 33 + 1) && way.height == 3 * (4 * 33 + 1))
      let record = try #require(
        try JSONSerialization.jsonObject(with: scene.bytes("one/samples.json")) as? [String: Any])
      let dataset = try LatentDataset(path: scene.path("latents"), scale: 0)
      #expect(record["vae"] as? String == dataset.description.vae)
      #expect(record["latent_scale"] as? Double == 0.5)  // the autoencoder's

      let measured = try Diffit.run(
        "evaluate", run.path, "--metrics", "fd_random,loss", "--samples", "8", "--steps", "2",
        "--vae", latents.vae, "--held-out", scene.path("latents"), "--reference",
        scene.path("reference"), "--json", "-")
      #expect(measured.code == 0 && measured.output.contains("\"fd_random\""), "\(measured.errors)")
      try refusals(latents)
    }

    /// As `expectRefusal`, but without `mpirun` alone.
    private func refuse(
      _ code: Int32, _ command: Command, saying parts: String...,
      at location: SourceLocation = #_sourceLocation
    ) throws {
      let outcome = try command.run()
      #expect(
        outcome.code == code && outcome.complaints.count == 1, "\(outcome)",
        sourceLocation: location)
      for part in parts {
        #expect(
          outcome.errors.contains(part), "\"\(part)\" is not in: \(outcome.errors)",
          sourceLocation: location)
      }
    }

    /// What does not go together with the run.
    private func refusals(_ latents: LatentScene) throws {
      let scene = latents.scene
      func sampling(_ run: String, _ more: String...) throws -> Command {
        try Diffit.command(["sample", scene.path(run), "--out", scene.path("none")] + more)
      }
      let other = try latents.writeOtherVAE()
      let digest = try LatentDataset(path: scene.path("latents"), scale: 0).description.vae
      try expectRefusal(2, sampling("run"), saying: "needs an autoencoder", "--vae")
      try expectRefusal(
        2, sampling("run", "--vae", other), saying: "--vae", "of another autoencoder", digest)
      let f2 = Repository.path("Tests/Reference/vae/f2")
      try refuse(2, sampling("run", "--vae", f2), saying: "2 times smaller", "expected 4")
      try refuse(
        2, sampling("run", "--vae", scene.path("run")), saying: "model.kind latent",
        "expected an autoencoder")
      #expect(!scene.exists("none"))
      try refuse(
        2, Diffit.command(["evaluate", scene.path("run"), "--vae", latents.vae]),
        saying: "--reference", "images are not compared with")

      let metrics = "metrics.every=48"
      try refuse(
        2, latents.training("new", "latents", metrics), saying: "metrics.names: fd_random",
        "needs an autoencoder")
      try refuse(
        2, latents.training("new", "latents", metrics, "data.vae=\(latents.vae)"),
        saying: "metrics.reference")
      try refuse(
        2, latents.training("new", "latents", "data.vae=\(other)", "sample.every=16"),
        saying: "data.vae", "of another autoencoder", digest)
      try refuse(
        2, latents.training("new", "latents", "model.resolution=16"),
        saying: "latents of 8 x 8 with 3 channels, expected 16 x 16")
      try refuse(
        2, latents.training("new", "latents", "model.classes=5"), saying: "holds 2 classes")
      #expect(!scene.exists("new"))

      // Latents of another autoencoder, or scaled otherwise, do not go on with the run.
      let encoded = try latents.encoding("foreign", vae: other).run()
      try #require(encoded.code == 0, "\(encoded.errors)")
      try expectRefusal(
        2, latents.training("run", "foreign"), saying: "data.path", "of another autoencoder", digest
      )
      try refuse(
        2, latents.training("run", "latents", "data.latent_scale=0.25"),
        saying: "data.latents.scale was 0.5, is 0.25")

      // Images that cannot be encoded.
      try refuse(
        2, latents.encoding("bad", resolution: 30), saying: "--resolution",
        "a multiple of 4")
      try refuse(2, latents.encoding("latents"), saying: "is there already")
      try Data("no image".utf8).write(
        to: URL(fileURLWithPath: scene.path("source/odd/0001.png")))
      try refuse(
        1, latents.encoding("bad"), saying: "broken image", "0001.png", "data convert")
      try refuse(
        1, latents.training("new", "nowhere"), saying: "nowhere", "no latents.json")
    }
  }
}
