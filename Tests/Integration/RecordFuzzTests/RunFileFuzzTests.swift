import Checkpoints
import CommandSupport
import Configuration
import Evaluation
import FileFormats
import FixtureSupport
import Foundation
import FuzzSupport
import Metrics
import ModelLoading
import Sampling
import Scores
import TensorCore
import Testing

extension DamagedRecordTests {
  /// Damaged records beside a run's checkpoints, and of samples.
  @Suite("Run files") struct RunFileFuzzTests {
    private let scratch: TemporaryFolder
    private let directory: RunDirectory

    init() throws {
      scratch = try TemporaryFolder()
      directory = RunDirectory(path: scratch.path)
      for images in [8, 16, 24] {
        try scratch.makeFolder("checkpoints/\(CheckpointStore.name(images: images))")
      }
    }

    private static let rows = """
      {"images":8,"epoch":0.1,"loss":1.5}
      {"images":8,"metrics":{"fd_random":3.5},"metrics_samples":10}
      {"images":16,"metrics":{"fd_random":1.5},"metrics_samples":10}
      {"images":24,"metrics":{"fd_random":2.5},"metrics_samples":10}

      """

    /// Whatever happens to it, the best checkpoint is known, or no file says otherwise.
    @Test func bestCheckpoints() throws {
      try scratch.write(Self.rows, "stats.jsonl")
      let best = BestCheckpoint(metric: "fd_random", value: 1.5, images: 16)
      try writeJSON(best, to: directory.best)
      let whole = try JSONTree(Data(contentsOf: URL(fileURLWithPath: directory.best)))
      var (rebuilt, gone) = (0, 0)
      Fuzz.run("best.json", mentioning: [scratch.path]) { mutator in
        try scratch.write(mutator.mutated(whole).json, "best.json")
        let (found, note) = try directory.best(by: "fd_random")
        if let note {
          rebuilt += 1
          #expect(found == best && note.contains("best.json was damaged"))
          #expect(try directory.best(by: "fd_random").best == best)
        }
        if found == nil { gone += 1 }
      }
      // Another metric is no damage.
      #expect(rebuilt > Fuzz.rounds / 3 && gone < Fuzz.rounds / 3)
    }

    @Test func rowsOfStatistics() throws {
      let lines = Self.rows.split(separator: "\n")
      let trees = try lines.map { try JSONTree(Data($0.utf8)) }
      Fuzz.run("stats.jsonl", mentioning: [scratch.path]) { mutator in
        let place = mutator.index(trees.count)
        var rows = lines.map(String.init)
        rows[place] = mutator.mutated(trees[place]).json
        let text = rows.joined(separator: "\n") + "\n"
        let bytes = mutator.once(in: 3) ? mutator.damaged(Array(text.utf8)) : Array(text.utf8)
        try scratch.write(Data(bytes), "stats.jsonl")
        try scratch.write("{", "best.json")
        _ = try directory.best(by: "fd_random")
        try StatsFile.truncate(directory.stats, afterImages: 16)
        try StatsFile(directory.stats).append(["images": 24])
        #expect(try StatsFile.rows(directory.stats).last?["images"] as? Int == 24)
      }
    }

    @Test func recordsOfSamples() throws {
      let text = """
        {"checkpoint": "images-000000000016", "checkpoint_digest": "d", "images_seen": 16,
         "weights": "ema.ema", "precision": "fp32", "sampler": "heun", "steps": 18, "churn": 0,
         "eta": 0, "class": 3, "guidance": 2, "guidance_interval": [0.2, 5], "quantization": "q",
         "guidance_schedule": "constant", "guided_channels": 3, "vae": "v", "latent_scale": 0.5}
        """
      let whole = try JSONTree(Data(text.utf8))
      let folder = SampleFolder(path: scratch.path)
      let record = try SampleRecord(readingFile: scratch.write(text, "samples.json"))
      let refused = Fuzz.run("samples.json", mentioning: [scratch.path]) { mutator in
        let path = try scratch.write(mutator.mutated(whole).json, "samples.json")
        _ = try SampleRecord(readingFile: path).summary
        _ = try folder.prepare(record, seeds: [1])
      }
      #expect(refused > Fuzz.rounds / 3)
    }

    /// What trapped at first.
    @Test(arguments: ["[]", "[0.5]", "[5, 0.2]", "[1, 2, 3]"])
    func intervalsOfGuidance(interval: String) throws {
      let text = """
        {"checkpoint": "c", "checkpoint_digest": "d", "images_seen": 16, "weights": "weights",
         "precision": "fp32", "sampler": "heun", "steps": 18, "churn": 0, "eta": 0, "guidance": 2,
         "guidance_interval": \(interval), "quantization": "q"}
        """
      let path = try scratch.write(text, "samples.json")
      let error = #expect(throws: ResumableFolderError.self) {
        try SampleRecord(readingFile: path)
      }
      #expect("\(try #require(error))".contains("guidance_interval is "))
    }

    /// Caches of reference statistics: the archive, and the arrays in it.
    @Test func statistics() throws {
      let extractor = RandomFeatures(on: ComputeContext())
      let width = try #require(extractor.widths[.random])
      let gaussian = try FeatureGaussian(
        mean: [Double](repeating: 0, count: width),
        covariance: (0..<width * width).map { $0 % (width + 1) == 0 ? 1 : 0 }, count: 100)
      let path = scratch.file("metrics.npz").path
      try ReferenceFile.write(
        ReferenceStatistics([.random: gaussian], madeBy: extractor), to: path)
      _ = try ReferenceFile.read(path, for: extractor)
      let whole = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
      // Most of the file is the covariance; what matters is at both ends.
      let ends = [0..<400, whole.count - 800..<whole.count]
      Fuzz.run("npz", mentioning: [path]) { mutator in
        let end = ends[mutator.index(2)]
        let bytes =
          whole[..<end.lowerBound] + mutator.damaged(Array(whole[end]))
          + whole[end.upperBound...]
        try scratch.write(Data(bytes), "metrics.npz")
        _ = try ReferenceFile.read(path, for: extractor)
      }
      let file = try NPZFile(write(whole))
      let arrays = try file.names.map { ($0, Array(try file.content(of: $0))) }
      func pack(_ change: (Int, [UInt8]) -> [UInt8]) throws {
        let zip = try ZipWriter(path)
        for (index, (name, bytes)) in arrays.enumerated() {
          let header = change(index, Array(bytes.prefix(128)))
          try zip.add("\(name).npy", header + bytes.dropFirst(128))
        }
        try zip.finish()
      }
      try pack { $1 }
      _ = try ReferenceFile.read(path, for: extractor)
      let refused = Fuzz.run("npy", mentioning: [path]) { mutator in
        let place = mutator.index(arrays.count)
        try pack { index, bytes in index == place ? mutator.damaged(bytes) : bytes }
        _ = try ReferenceFile.read(path, for: extractor)
      }
      #expect(refused > Fuzz.rounds / 3)
    }

    private func write(_ bytes: [UInt8]) throws -> String {
      try scratch.write(Data(bytes), "metrics.npz")
    }
  }
}

extension NPZFile {
  /// The bytes of an array's entry.
  fileprivate func content(of name: String) throws -> Data {
    try directory.content(entry(name), atMost: 1 << 24)
  }
}
