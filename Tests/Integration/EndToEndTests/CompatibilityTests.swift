import FixtureSupport
import Foundation
import ProcessSupport
import SystemSupport
import Testing

/// Files that an earlier version wrote are read, and lead to what that version made of them.
///
/// `Tests/Reference/written-by-7cd5c53` holds a run of two ranks with a sharded optimiser (128 images) and an
/// export of it. The digests are those of the files that the earlier version made from them with plain C
/// kernels, which give the same bits on every CPU.
extension EndToEndTests {
  @Suite struct CompatibilityTests {
    private static let written = Repository.path("Tests/Reference/written-by-7cd5c53")

    private func run(_ arguments: [String]) throws {
      var command = try Diffit.command(arguments)
      command.environment = ["DIFFIT_KERNELS": "portable"]
      let outcome = try command.run()
      try #require(outcome.code == 0, "\(arguments): \(outcome.errors)")
    }

    private func digest(_ scene: Scene, _ name: String) throws -> String {
      try scene.bytes(name).withUnsafeBytes { Checksum.digest(of: $0) }
    }

    private func scene() throws -> Scene {
      let scene = try Scene()
      try FileManager.default.copyItem(atPath: "\(Self.written)/run", toPath: scene.path("run"))
      return scene
    }

    @Test func exportsAreTheSameBytes() throws {
      let scene = try scene()
      try run(["export", scene.path("run"), "--out", scene.path("raw.safetensors")])
      try run(["export", scene.path("run"), "--ema", "ema", "--out", scene.path("ema.safetensors")])
      #expect(try digest(scene, "raw.safetensors") == "538510142c7292940c4722f78c98af0a")
      #expect(try digest(scene, "ema.safetensors") == "8483a0977caf927325635c06916f78a6")
    }

    @Test func aRunGoesOnBitForBit() throws {
      let scene = try scene()
      try run([
        "train", "--config", scene.path("run/config.yaml"), "--run", scene.path("run"), "--set",
        "train.images=256",
      ])
      try run(["export", scene.path("run"), "--out", scene.path("later.safetensors")])
      #expect(try digest(scene, "later.safetensors") == "f10e9fbca6ff5f4a3a13ad8cca6c00de")
    }

    @Test func samplesAreTheSameBytes() throws {
      let scene = try scene()
      try run([
        "sample", scene.path("run"), "--seeds", "0-3", "--steps", "4", "--out",
        scene.path("samples.npz"),
      ])
      #expect(try digest(scene, "samples.npz") == "3375ba45f19c8374dda2496a7366adb0")
    }

    @Test func anExportStartsARun() throws {
      let scene = try scene()
      try run([
        "train", "--config", scene.path("run/config.yaml"), "--run", scene.path("tuned"), "--init",
        "\(Self.written)/model.safetensors", "--set", "train.images=16",
      ])
      #expect(scene.exists("tuned/checkpoints/images-000000000016/COMPLETE"))
    }
  }
}
