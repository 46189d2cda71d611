import Checkpoints
import FixtureSupport
import Foundation
import SystemSupport
import TensorCore
import Testing

@Suite struct CheckpointStoreTests {
  let scratch: TemporaryFolder
  let run: Run

  init() throws {
    scratch = try TemporaryFolder()
    run = Run(scratch)
  }

  @Test func directoryAsDocumented() throws {
    let url = try run.save(1_024_000, ranks: 4)
    #expect(url.lastPathComponent == "images-000001024000")
    #expect(
      try names(in: url) == [
        "COMPLETE", "manifest.json", "state-00000-of-00004.safetensors",
        "state-00001-of-00004.safetensors", "state-00002-of-00004.safetensors",
        "state-00003-of-00004.safetensors",
      ])
    #expect(try names(in: run.store.directory) == ["images-000001024000"])
    let complete = try String(contentsOf: url.appendingPathComponent("COMPLETE"), encoding: .utf8)
    let manifest = try Checksum.ofFile(url.appendingPathComponent("manifest.json").path)
    #expect(complete == "\(manifest.digest)  manifest.json\n")
  }

  @Test func manifestComesBack() throws {
    let url = try run.save(16)
    let manifest = try CheckpointReader(url, verifying: true).manifest
    #expect(manifest == run.manifest(16, manifest.shards))
    #expect(manifest.table == run.table)
    #expect(manifest.progress == ["skipped": 3, "loss": 0.1])
    #expect(manifest.shards.map(\.ranges) == [[0..<5], [5..<11]])
    let text = try String(
      contentsOf: url.appendingPathComponent("manifest.json"), encoding: .utf8)
    for key in ["format_version", "images_seen", "world_size", "config_digest", "\"F32\""] {
      #expect(text.contains(key))
    }
  }

  /// What is no count would be no count either when the run resumes.
  @Test(arguments: [.infinity, .nan, -1, 1e300])
  func progressThatIsNoCountIsRefused(_ value: Double) throws {
    try run.store.beginWrite(images: 1)
    let shards = try run.writeShards(1, ranks: 1)
    let manifest = Manifest(
      imagesSeen: 1, vectors: Run.vectors, configuration: [:], build: "",
      progress: ["updates": value], table: run.table, shards: shards)
    let error = #expect(throws: CheckpointError.self) { try run.store.commit(manifest) }
    #expect("\(try #require(error))".contains("progress.updates is \(value), expected 0 to"))
  }

  /// Whatever number of ranks wrote, any number reads, also where some ranges are empty.
  @Test(arguments: [1, 2, 3, 4, 16], [1, 2, 3, 5, 16])
  func anyRanksReadWhatAnyWrote(_ writers: Int, _ readers: Int) throws {
    let checkpoint = try CheckpointReader(run.save(4, ranks: writers), verifying: true)
    for vector in Run.vectors {
      let expected = run.values(vector, images: 4)
      for range in run.ranges(readers) {
        #expect(try run.read(checkpoint, vector, range) == Array(expected[range]))
      }
    }
  }

  /// A sharded optimiser holds pieces of every gradient bucket.
  @Test(arguments: [[[6..<11], [0..<6]], [[0..<2, 5..<6, 9..<11], [2..<5, 6..<9]]])
  func severalRangesInAnyOrder(ranges: [[Range<Int>]]) throws {
    try run.store.beginWrite(images: 4)
    let shards = try ranges.enumerated().map { rank, ranges in
      try run.store.writeShard(
        images: 4, rank: rank, of: 2, ranges: ranges,
        vectors: Run.vectors.map { name in
          let values = run.values(name, images: 4)
          return StateVector(
            name, ranges.map { Tensor(Array(values[$0]), [$0.count], on: run.context) })
        })
    }
    let checkpoint = try CheckpointReader(
      run.store.commit(run.manifest(4, shards)), verifying: true)
    #expect(
      try run.read(checkpoint, "weights", 0..<11) == run.values("weights", images: 4))
  }

  @Test func newestGoodIsTheNewest() throws {
    #expect(try run.store.newestGood() == nil)
    for images in [8, 16, 1_000_000_000_000] { try run.save(images) }
    let found = try #require(try run.store.newestGood())
    #expect(found.checkpoint.manifest.imagesSeen == 1_000_000_000_000)
    #expect(found.passedOver.isEmpty)
    #expect(try run.store.list().map(\.images) == [8, 16, 1_000_000_000_000])
  }

  @Test func leftoversOfAKilledSaveAreIgnoredAndCleared() throws {
    try run.save(8)
    try run.store.beginWrite(images: 16)
    _ = try run.writeShards(16, ranks: 2)
    #expect(try run.store.list().map(\.images) == [8])
    #expect(try run.store.newestGood()?.checkpoint.manifest.imagesSeen == 8)
    try run.store.beginWrite(images: 24)
    #expect(
      try names(in: run.store.directory) == [".images-000000000024.tmp", "images-000000000008"])
    try run.store.abandonWrite(images: 24)
    #expect(try names(in: run.store.directory) == ["images-000000000008"])
  }

  /// The first save ever, killed: that run has no checkpoint, and none that is bad.
  @Test func killedFirstSaveIsNoCheckpoint() throws {
    try run.store.beginWrite(images: 8)
    _ = try run.writeShards(8, ranks: 2)
    #expect(try run.store.newestGood() == nil)
  }

  @Test func sameImagesReplace() throws {
    let url = try run.save(8, ranks: 4)
    try flipByte(Run.shard(url, 0, of: 4), at: 0)
    try run.save(8, ranks: 1)
    #expect(try names(in: run.store.directory) == ["images-000000000008"])
    #expect(try run.store.newestGood()?.checkpoint.manifest.worldSize == 1)
  }

  /// Killed between the two renames of a replacement: the old checkpoint is still used, and restored.
  @Test func replacementCutShortLosesNothing() throws {
    let url = try run.save(8)
    let hidden = run.store.directory.appendingPathComponent(".images-000000000008.replaced")
    try FileManager.default.moveItem(at: url, to: hidden)
    #expect(try run.store.newestGood()?.checkpoint.manifest.imagesSeen == 8)
    try run.store.clearLeftovers()
    #expect(try names(in: run.store.directory) == ["images-000000000008"])
  }

  @Test func retentionKeepsTheLastAndTheForever() throws {
    for images in [100, 200, 300, 410, 500, 600, 700] { try run.save(images, ranks: 1) }
    let removed = try run.store.applyRetention(keep: 2, keepEvery: 200)
    #expect(
      removed.map(\.lastPathComponent)
        == ["images-000000000100", "images-000000000300", "images-000000000500"])
    #expect(try run.store.list().map(\.images) == [200, 410, 600, 700])
    #expect(try run.store.applyRetention(keep: 2, keepEvery: 200).isEmpty)
    #expect(try run.store.applyRetention(keep: 0, keepEvery: 0).isEmpty)
    try run.store.applyRetention(keep: 1, keepEvery: 0)
    #expect(try run.store.list().map(\.images) == [700])
  }

  /// A damaged newest one neither counts nor goes.
  @Test func retentionNeverTradesAGoodOneForABadOne() throws {
    for images in [100, 200, 300] { try run.save(images) }
    let newest = run.store.directory.appendingPathComponent("images-000000000300")
    try FileManager.default.removeItem(at: newest.appendingPathComponent("COMPLETE"))
    try run.store.applyRetention(keep: 1, keepEvery: 0)
    #expect(try run.store.list().map(\.images) == [200, 300])
    #expect(try run.store.newestGood()?.checkpoint.manifest.imagesSeen == 200)
  }

  @Test func newerBranchCanBeRemoved() throws {
    for images in [100, 200, 300] { try run.save(images) }
    try run.store.removeNewer(than: 200)
    #expect(try names(in: run.store.directory) == ["images-000000000100", "images-000000000200"])
  }
}
