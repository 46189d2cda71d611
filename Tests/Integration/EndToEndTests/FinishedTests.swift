import Foundation
import Testing

extension EndToEndTests {
  /// What a run leaves, and when.
  @Suite("PeriodicActions and ends") struct FinishedTests {
    let scene: Scene
    let run: RunFolder

    init() throws {
      scene = try Scene()
      run = RunFolder(scene, "run")
    }

    private func files() throws -> [String: Date] {
      let keys: [URLResourceKey] = [.contentModificationDateKey, .isRegularFileKey]
      let all = FileManager.default.enumerator(
        at: URL(fileURLWithPath: run.path), includingPropertiesForKeys: keys,
        options: .skipsHiddenFiles)
      var dates: [String: Date] = [:]
      for case let url as URL in all ?? FileManager.DirectoryEnumerator() {
        let values = try url.resourceValues(forKeys: Set(keys))
        if values.isRegularFile == true { dates[url.path] = values.contentModificationDate }
      }
      return dates
    }

    @Test func aRunLeavesWhatTheDocumentationSays() throws {
      try run.train("sample.every=64", "sample.count=3", "sample.steps=2", "checkpoint.every=64")
      #expect(
        scene.names(in: "run")
          == [
            "checkpoints", "config.yaml", "log.txt", "metrics.prom", "report.html", "samples",
            "starts.jsonl", "stats.jsonl", "tensorboard",
          ])
      #expect(run.checkpoints == ["images-000000000064", "images-000000000096"])
      #expect(
        scene.names(in: "run/samples")
          == ["64", "96"].flatMap { images in
            ["ema", "raw"].map { "images-0000000000\(images)-\($0).png" }
          })
      let log = try run.text("log.txt")
      #expect(log.contains("55319 parameters, 16x16 pixels, 10 classes"))
      #expect(log.hasSuffix("done: 96 images; \(run.path) holds the run\n"))
      #expect(!log.contains("training  "))  // the progress line
      // The settings as resolved are settings.
      try RunFolder(scene, "again").train()
      let again = try Diffit.run(
        "train", "--config", "\(run.path)/config.yaml", "--run", scene.path("copy"))
      #expect(again.code == 0)
      #expect(try run.state(96) == RunFolder(scene, "copy").state(96))
    }

    /// A finished run that is started again is left as it is.
    @Test(arguments: [0, 2]) func aFinishedRun(ranks: Int) throws {
      let settings = ["sample.every=64", "sample.count=3", "sample.steps=2", "checkpoint.every=64"]
      try run.train(settings[0], settings[1], settings[2], settings[3], ranks: ranks)
      let renewed = ["config.yaml", "log.txt", "starts.jsonl", "report.html", "metrics.prom"]
      let before = try files().filter { file in !renewed.contains { file.key.hasSuffix($0) } }
      let command = try Diffit.training(run.path, settings)
      let outcome = try command.onRanks(ranks).run()
      #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
      #expect(
        outcome.lines.last
          == "nothing to train: the run has seen 96 of 96 images; raise train.images to go on")
      #expect(try files().filter { before[$0.key] != nil } == before)
      #expect(try files().count == before.count + renewed.count)

      // What is missing of its end is made.
      try FileManager.default.removeItem(atPath: "\(run.path)/samples/images-000000000096-ema.png")
      #expect(try command.onRanks(ranks).run().code == 0)
      #expect(scene.names(in: "run/samples").count == 4)

      // It goes on where it is given more to do.
      let longer = try Diffit.training(run.path, settings + ["train.images=128"]).onRanks(ranks)
      #expect(try longer.run().code == 0)
      #expect(try run.rows.map(\.images) == [16, 32, 48, 64, 80, 96, 112, 128])
    }

    /// Steps of 24 images: an interval of 40 comes due at 48, 96, 120 and 168.
    @Test func anIntervalFiresAtTheFirstStepAtOrPastEachMultiple() throws {
      try run.train(
        "train.images=168", "train.batch=24", "checkpoint.every=40", "checkpoint.keep=10",
        "log.every=40", "sample.every=40", "sample.count=1", "sample.steps=1")
      let due = [48, 96, 120, 168]
      #expect(run.checkpoints.map { Int($0.dropFirst(7)) } == due)
      #expect(try run.rows.map(\.images) == due)
      #expect(scene.names(in: "run/samples").filter { $0.hasSuffix("raw.png") }.count == 4)
    }

    /// The last step goes past the number of images where the batch does not divide it.
    @Test func anIntervalOfZeroSwitchesOff() throws {
      try run.train("train.images=100", "log.every=0", "checkpoint.every=0", "sample.every=0")
      #expect(run.checkpoints == ["images-000000000112"])
      #expect(scene.names(in: "run/samples").isEmpty)
      #expect(try run.rows.map(\.images) == [112])
    }

    @Test func retention() throws {
      try run.train("checkpoint.every=16", "checkpoint.keep=2", "checkpoint.keep_every=3")
      #expect(run.checkpoints.map { Int($0.dropFirst(7)) } == [48, 80, 96])
    }
  }
}
