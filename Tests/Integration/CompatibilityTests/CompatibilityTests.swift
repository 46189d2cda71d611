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
@Suite("Files of commit 7cd5c53", .serialized) final class CompatibilityTests {
  private static let written = Repository.path("Tests/Reference/written-by-7cd5c53")
  private let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("compatibility-\(UUID())")

  init() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: "\(Self.written)/run", toPath: path("run"))
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  private func run(_ arguments: String...) throws {
    var command = Command([try Command.product("diffit")] + arguments)
    command.environment = ["DIFFIT_KERNELS": "portable"]
    let outcome = try command.run()
    try #require(outcome.code == 0, "\(arguments): \(outcome.errors)")
  }

  private func digest(_ name: String) throws -> String {
    try Data(contentsOf: URL(fileURLWithPath: path(name))).withUnsafeBytes {
      Checksum.digest(of: $0)
    }
  }

  @Test func exportsAreTheSameBytes() throws {
    try run("export", path("run"), "--bare", "--out", path("raw.safetensors"))
    try run(
      "export", path("run"), "--bare", "--ema", "ema", "--out", path("ema.safetensors"))
    #expect(try digest("raw.safetensors") == "538510142c7292940c4722f78c98af0a")
    #expect(try digest("ema.safetensors") == "8483a0977caf927325635c06916f78a6")
  }

  @Test func aRunGoesOnBitForBit() throws {
    try run(
      "train", "--config", path("run/config.yaml"), "--run", path("run"), "--set",
      "train.images=256")
    try run("export", path("run"), "--bare", "--out", path("later.safetensors"))
    #expect(try digest("later.safetensors") == "f10e9fbca6ff5f4a3a13ad8cca6c00de")
  }

  @Test func samplesAreTheSameBytes() throws {
    try run(
      "sample", path("run"), "--seeds", "0-3", "--steps", "4", "--out", path("samples.npz"))
    #expect(try digest("samples.npz") == "3375ba45f19c8374dda2496a7366adb0")
  }

  @Test func anExportStartsARun() throws {
    try run(
      "train", "--config", path("run/config.yaml"), "--run", path("tuned"), "--init",
      "\(Self.written)/model.safetensors", "--set", "train.images=16")
    let complete = path("tuned/checkpoints/images-000000000016/COMPLETE")
    #expect(FileManager.default.fileExists(atPath: complete))
  }
}
