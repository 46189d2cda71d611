import Checkpoints
import ErrorSupport
import FileFormats
import FixtureSupport
import Foundation
import NumericsSupport
import SystemSupport
import TensorCore
import Testing

/// One test for each way in which a checkpoint can be bad or a save can fail. Every bad one is passed
/// over for the older good one.
@Suite struct BadCheckpointTests {
  let scratch: TemporaryFolder
  let run: Run

  init() throws {
    scratch = try TemporaryFolder()
    run = Run(scratch)
  }

  /// Saves a good checkpoint and one that `damage` spoils; returns why the latter is passed over.
  func reason(_ damage: (URL) throws -> Void) throws -> (any Error)? {
    try run.save(8)
    let url = try run.save(16)
    try damage(url)
    let found = try #require(try run.store.newestGood())
    #expect(found.checkpoint.manifest.imagesSeen == 8)
    #expect(found.passedOver.map(\.url.path) == [url.path])
    let direct = thrownError { _ = try CheckpointReader(url, verifying: true) }
    #expect(direct.map { "\($0)" } == found.passedOver.first.map { "\($0.error)" })
    return found.passedOver.first?.error
  }

  /// Rewrites the manifest of a good checkpoint by replacing some text, COMPLETE included.
  func manifestError(_ old: String, _ new: String) throws -> (any Error)? {
    try reason { url in
      let manifest = url.appendingPathComponent("manifest.json")
      let text = try String(contentsOf: manifest, encoding: .utf8)
      #expect(text.contains(old))
      let changed = text.replacingOccurrences(of: old, with: new)
      try Data(changed.utf8).write(to: manifest)
      try Data("\(Checksum.digest(of: changed))  manifest.json\n".utf8)
        .write(to: url.appendingPathComponent("COMPLETE"))
    }
  }

  var bad: String { run.store.directory.path + "/images-000000000016" }
  var badShard: String { bad + "/state-00001-of-00002.safetensors" }

  @Test func missingComplete() throws {
    let error = try reason {
      try FileManager.default.removeItem(at: $0.appendingPathComponent("COMPLETE"))
    }
    #expect(error == CheckpointError.incomplete(path: bad))
  }

  @Test func missingManifest() throws {
    let error = try reason {
      try FileManager.default.removeItem(at: $0.appendingPathComponent("manifest.json"))
    }
    #expect(error == CheckpointError.manifestMissing(path: bad + "/manifest.json"))
  }

  @Test func flippedByteInTheManifest() throws {
    guard
      case CheckpointError.manifestChecksum(bad + "/manifest.json", _, _)? = try reason({
        try flipByte($0.appendingPathComponent("manifest.json"), at: 40)
      })
    else {
      Issue.record("not noticed")
      return
    }
  }

  @Test func emptyComplete() throws {
    guard
      case CheckpointError.manifestChecksum(_, _, "")? = try reason({
        try Data().write(to: $0.appendingPathComponent("COMPLETE"))
      })
    else {
      Issue.record("not noticed")
      return
    }
  }

  /// Every byte of a shard counts: in its header, its first and its last tensor.
  @Test(arguments: [0, 30, 140, -1])
  func flippedByteInAShard(_ position: Int) throws {
    guard
      case CheckpointError.shardChecksum(badShard, let found, let expected)? = try reason({
        let shard = Run.shard($0, 1)
        try flipByte(shard, at: position < 0 ? Data(contentsOf: shard).count - 1 : position)
      })
    else {
      Issue.record("not noticed")
      return
    }
    #expect(found.count == 32 && expected.count == 32 && found != expected)
  }

  @Test func truncatedShard() throws {
    let error = try reason { #expect(truncate(Run.shard($0, 1).path, 100) == 0) }
    guard case CheckpointError.shardSize(badShard, 100, let expected)? = error else {
      Issue.record("not noticed: \(String(describing: error))")
      return
    }
    #expect(expected > 100)
  }

  @Test func missingShard() throws {
    let error = try reason { try FileManager.default.removeItem(at: Run.shard($0, 1)) }
    #expect(error == CheckpointError.shardMissing(path: badShard))
  }

  @Test func manifestThatIsNotJSON() throws {
    #expect(
      try manifestError("{\n", "[\n")
        == CheckpointError.manifestSyntax(path: bad + "/manifest.json", reason: "not JSON"))
  }

  @Test func manifestWithoutAMember() throws {
    #expect(
      try manifestError("\"build\"", "\"built\"")
        == CheckpointError.manifestSyntax(
          path: bad + "/manifest.json", reason: "build is missing"))
  }

  @Test func manifestOfAnotherVersion() throws {
    #expect(
      try manifestError("\"format_version\" : 2", "\"format_version\" : 7")
        == CheckpointError.manifestVersion(path: bad + "/manifest.json", found: 7, supported: 2))
  }

  @Test func negativeCount() throws {
    #expect(
      try manifestError("\"images_seen\" : 16", "\"images_seen\" : -16")
        == CheckpointError.manifestCount(
          path: bad + "/manifest.json", name: "images_seen", found: "-16",
          largest: Manifest.largestCount))
  }

  @Test(arguments: [
    ("\"z.weight\"", "\"a.bias\""), ("\"offset\" : 8", "\"offset\" : 5"),
    ("\"offset\" : 8", "\"offset\" : 9"), ("\"count\" : 3", "\"count\" : 2"),
    ("\"linear\"", "\"convolution\""), ("\"F32\"", "\"BF16\""),
    ("\"count\" : 6", "\"count\" : -6"),
  ])
  func tableThatDoesNotFit(_ old: String, _ new: String) throws {
    guard case CheckpointError.manifestTable? = try manifestError(old, new) else {
      Issue.record("\(old) -> \(new) not noticed")
      return
    }
  }

  @Test func shardNamesFromElsewhere() throws {
    guard
      case CheckpointError.shardNames? = try manifestError("state-00001-of-00002", "../../x/state")
    else {
      Issue.record("not noticed")
      return
    }
  }

  @Test func worldSizeThatIsNotTheShards() throws {
    guard
      case CheckpointError.shardNames? = try manifestError(
        "\"world_size\" : 2", "\"world_size\" : 3")
    else {
      Issue.record("not noticed")
      return
    }
  }

  @Test func settingsThatAreNotThoseOfTheDigest() throws {
    guard case CheckpointError.configurationDigest? = try manifestError("\"2,2\"", "\"2,3\"") else {
      Issue.record("not noticed")
      return
    }
  }

  @Test func shardsOfOtherRanges() throws {
    try run.store.beginWrite(images: 24)
    let shards = try run.writeShards(24, ranks: 3)
    let gap = [shards[0], shards[2]].enumerated().map { rank, shard in
      ShardRecord(
        file: ShardRecord.fileName(rank: rank, of: 2), rank: rank, ranges: shard.ranges,
        size: shard.size, checksum: shard.checksum)
    }
    let path = run.store.directory.path + "/.images-000000000024.tmp/manifest.json"
    #expect(
      thrownError { try run.store.commit(run.manifest(24, gap)) }
        == CheckpointError.shardTiling(path: path, found: 7..<11, expected: 3))
    #expect(try run.store.list().isEmpty)
  }

  @Test func shardThatThisRankDoesNotSee() throws {
    try run.store.beginWrite(images: 24)
    let shards = try run.writeShards(24, ranks: 2)
    let path = run.store.directory.path + "/.images-000000000024.tmp/" + shards[1].file
    try FileManager.default.removeItem(atPath: path)
    #expect(
      thrownError { try run.store.commit(run.manifest(24, shards)) }
        == CheckpointError.shardMissing(path: path))
  }

  @Test func vectorThatTheShardsLack() throws {
    try run.store.beginWrite(images: 24)
    let shards = try run.writeShards(24, ranks: 1)
    let path = run.store.directory.path + "/.images-000000000024.tmp/" + shards[0].file
    #expect(
      thrownError { try run.store.commit(run.manifest(24, shards, vectors: ["adam.m"])) }
        == SafetensorsError.noSuchTensor(path: path, tensor: "adam.m"))
  }

  @Test func shardOfAnotherLength() throws {
    try run.store.beginWrite(images: 24)
    let shard = try run.writeShards(24, ranks: 2)[1]
    let record = ShardRecord(
      file: ShardRecord.fileName(rank: 0, of: 1), rank: 0, ranges: [0..<11], size: shard.size,
      checksum: shard.checksum)
    let directory = run.store.directory.appendingPathComponent(".images-000000000024.tmp")
    let path = directory.appendingPathComponent(record.file)
    try FileManager.default.moveItem(at: Run.shard(directory, 1), to: path)
    #expect(
      thrownError { try run.store.commit(run.manifest(24, [record])) }
        == CheckpointError.shardVector(
          path: path.path, vector: "weights", found: [6], expected: [11]))
  }

  @Test func noneGood() throws {
    let url = try run.save(8)
    try FileManager.default.removeItem(at: Run.shard(url, 0))
    let reason = CheckpointError.shardMissing(path: Run.shard(url, 0).path).description
    #expect(
      thrownError { _ = try run.store.newestGood() }
        == CheckpointError.noneGood(directory: run.store.directory.path, reasons: [reason]))
  }

  @Test func noSuchVector() throws {
    let checkpoint = try CheckpointReader(run.save(8), verifying: false)
    #expect(
      thrownError { _ = try run.read(checkpoint, "adam.m", 0..<1) }
        == CheckpointError.noSuchVector(
          path: checkpoint.url.path, vector: "adam.m", present: ["weights", "ema.ema"]))
  }

  @Test func noSuchCheckpoint() {
    let missing = scratch.file("nowhere")
    #expect(
      thrownError { _ = try CheckpointReader(missing, verifying: false) }
        == FileError.system(operation: "open the checkpoint", path: missing.path, code: ENOENT))
  }

  /// `/dev/full` refuses every write with ENOSPC.
  @Test func fullDiskLeavesOlderCheckpointsAlone() throws {
    let older = try run.save(8)
    try run.store.beginWrite(images: 16)
    let shard =
      run.store.directory.path
      + "/.images-000000000016.tmp/state-00000-of-00002.safetensors"
    try FileManager.default.createSymbolicLink(
      atPath: shard, withDestinationPath: "/dev/full")
    let error = thrownError { _ = try run.writeShards(16, ranks: 2) }
    #expect(error == FileError.system(operation: "write", path: shard, code: ENOSPC))
    #expect(error.map { "\($0)".contains("No space left on device") } == true)
    try CheckpointReader(older, verifying: true).verify()
    #expect(try run.store.newestGood()?.checkpoint.manifest.imagesSeen == 8)
  }

  @Test func fileInPlaceOfTheDirectory() throws {
    try scratch.write("", "checkpoints")
    let file = scratch.file("checkpoints")
    #expect(
      thrownError { try run.store.beginWrite(images: 8) }
        == FileError.system(operation: "list", path: file.path, code: ENOTDIR))
  }

  @Test func runDirectoryThatIsNotThere() throws {
    let directory = scratch.file("none/checkpoints")
    let error = thrownError { try CheckpointStore(directory: directory).beginWrite(images: 8) }
    #expect(
      error
        == FileError.system(operation: "create the directory", path: directory.path, code: ENOENT))
  }

  @Test(.enabled(if: geteuid() != 0, "root may write everywhere"))
  func readOnlyDirectory() throws {
    let older = try run.save(8)
    #expect(chmod(run.store.directory.path, 0o555) == 0)
    defer { chmod(run.store.directory.path, 0o755) }
    let error = thrownError { try run.store.beginWrite(images: 16) }
    #expect(
      error
        == FileError.system(
          operation: "create the directory",
          path: run.store.directory.path + "/.images-000000000016.tmp", code: EACCES))
    try CheckpointReader(older, verifying: true).verify()
  }

  /// Manifests with bytes changed are read or rejected, never a crash.
  @Test func mutatedManifests() throws {
    let url = try run.save(8)
    let bytes = Array(try Data(contentsOf: url.appendingPathComponent("manifest.json")))
    let alphabet = Array("{}[]\",:-0123456789.eE \\nut".utf8) + [0xC3, 0xFF]
    var rejected = 0
    for position in 0..<2000 {
      let random = RandomStream(seed: 8, .test, position: UInt64(position))
      var changed = bytes
      for edit in 0..<(1 + draw(random, below: 12, 0)) {
        changed[draw(random, below: changed.count, 2 * edit + 1)] =
          alphabet[draw(random, below: alphabet.count, 2 * edit + 2)]
      }
      do { _ = try Manifest.decode(changed, path: "fuzz").table } catch { rejected += 1 }
    }
    #expect(rejected > 500 && rejected < 2000, "\(rejected) of 2000 rejected")
  }
}
