import Checkpoints
import Configuration
import FixtureSupport
import Foundation
import FuzzSupport
import ModelLoading
import SystemSupport
import TensorCore
import Testing
import Training

/// Damaged files of a run, whose checksums somebody has made right again. One suite at a time: each
/// reader gets the whole machine.
@Suite("Damaged records", .serialized) enum DamagedRecordTests {}

extension DamagedRecordTests {
  /// Damaged manifests of a real run.
  @Suite("Manifests") struct ManifestFuzzTests {
    private let scratch: TemporaryFolder
    private let store: CheckpointStore
    private let trainer: Trainer

    init() throws {
      scratch = try TemporaryFolder()
      store = CheckpointStore(run: scratch.url)
      let configuration = try Configuration(
        file: Repository.path("configs/debug.yaml"),
        overrides: ["train.micro_batch=2", "train.batch=2", "train.threads=1"])
      let context = ComputeContext()
      trainer = Trainer.synthetic(configuration, on: context)
      for images in [8, 16] { try save(images, on: context) }
    }

    private func save(_ images: Int, on context: ComputeContext) throws {
      let count = trainer.table.flatCount
      let names = [VectorName.weights, VectorName.firstMoment, VectorName.secondMoment, "ema.ema"]
      try store.beginWrite(images: images)
      let shard = try store.writeShard(
        images: images, rank: 0, of: 1, ranges: [0..<count],
        vectors: names.map { StateVector($0, [Tensor(zeros: [count], on: context)]) })
      trainer.imagesSeen = images
      try store.commit(trainer.manifest(shards: [shard], vectors: names, facts: [:]))
    }

    /// Writes a manifest with right checksums.
    private func seal(_ json: String, _ url: URL) throws {
      try Data(json.utf8).write(to: url.appendingPathComponent("manifest.json"))
      try Data("\(Checksum.digest(of: json))  manifest.json\n".utf8)
        .write(to: url.appendingPathComponent("COMPLETE"))
    }

    /// The same manifest with the digest of its settings made right.
    private func resealed(_ json: String) -> String {
      guard
        let fields = try? JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any],
        let old = fields["config_digest"] as? String,
        let settings = fields["config"] as? [String: String]
      else { return json }
      return json.replacingOccurrences(of: old, with: Manifest.digest(of: settings))
    }

    @Test func everyDamageIsPassedOver() throws {
      let newest = try #require(try store.list().last?.url)
      let whole = try JSONTree(
        Data(contentsOf: newest.appendingPathComponent("manifest.json")))
      let refused = Fuzz.run(
        "manifest.json", mentioning: [scratch.path, "images-000000000016"]
      ) { mutator in
        try seal(resealed(mutator.mutated(whole).json), newest)
        // Whatever is wrong with the newest one, a run has one to go on from.
        let found = try #require(try store.newestGood())
        #expect(found.checkpoint.manifest.imagesSeen == 8 || found.passedOver.isEmpty)
        _ = try Inspection.text(of: newest.path)
        let reader = try CheckpointReader(newest, verifying: true)
        let loaded = try LoadedModel(reader, ema: nil)
        _ = try loaded.model(on: ComputeContext())
        guard reader.manifest.table == trainer.table else { return }
        try trainer.load(reader)
      }
      #expect(refused > Fuzz.rounds / 3)
    }

    @Test func bytesToo() throws {
      let newest = try #require(try store.list().last?.url)
      let whole = try Array(Data(contentsOf: newest.appendingPathComponent("manifest.json")))
      Fuzz.run("manifest bytes", mentioning: [newest.path]) { mutator in
        let bytes = mutator.damaged(whole)
        try Data(bytes).write(to: newest.appendingPathComponent("manifest.json"))
        let digest = bytes.withUnsafeBytes { Checksum.digest(of: $0) }
        try Data("\(digest)  manifest.json\n".utf8)
          .write(to: newest.appendingPathComponent("COMPLETE"))
        _ = try CheckpointReader(newest, verifying: true)
      }
    }

    /// What trapped at first.
    @Test(
      arguments: [
        ("\"skipped_updates\" : 0", "\"skipped_updates\" : 1e300", "progress.skipped_updates"),
        ("\"updates\" : 0", "\"updates\" : -1", "progress.updates"),
        (
          "\"images_seen\" : 16", "\"images_seen\" : 9223372036854775807",
          "images_seen is 9223372036854775807, expected 0 to"
        ),
      ])
    func countsBeyondBounds(old: String, new: String, expected: String) throws {
      let newest = try #require(try store.list().last?.url)
      let text = try String(
        contentsOf: newest.appendingPathComponent("manifest.json"), encoding: .utf8)
      try #require(text.contains(old))
      try seal(text.replacingOccurrences(of: old, with: new), newest)
      let found = try #require(try store.newestGood())
      #expect(found.checkpoint.manifest.imagesSeen == 8)
      #expect(found.passedOver.first?.reason.contains(expected) == true)
    }
  }
}
