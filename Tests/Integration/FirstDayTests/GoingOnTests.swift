import Foundation
import ProcessSupport
import Testing

extension FirstDayTests {
  /// A run that has begun is named by its folder.
  @Suite struct GoingOnTests {
    let scene: Scene

    init() throws { scene = try Scene() }

    private var images: [Int] {
      get throws { try scene.rows("run/stats.jsonl").compactMap { $0["images"] as? Int } }
    }

    @Test func aRunGoesOnWithItsOwnSettings() throws {
      try scene.train("--set train.seed=7 --set log.every=32")
      #expect(try images == [32, 64])
      // The seed is one that the run keeps: others would be refused.
      try scene.good("\"$diffit\" train --run run --set train.images=96")
      #expect(try images == [32, 64, 96])
      // What was set stays set.
      try scene.good("\"$diffit\" train --run run")
      #expect(try images == [32, 64, 96])
      try scene.refused(2, "\"$diffit\" train --run run --set train.seed=8", "train.seed was 7")
    }

    @Test func theRunsOwnFileOfSettingsLeadsToTheRun() throws {
      try scene.train()
      for line in [
        "\"$diffit\" train --config run/config.yaml --set train.images=96",
        "cd run && \"$diffit\" train --config config.yaml --set train.images=128",
      ] { try scene.good(line) }
      #expect(try images.last == 128)
      #expect(!scene.exists("runs") && !scene.exists("run/runs"))
      // Another run with the same settings is named by --run.
      try scene.good("\"$diffit\" train --config run/config.yaml --run copy")
      #expect(try scene.rows("copy/stats.jsonl").count == 8)
    }

    /// What a run chose from this machine's memory and cores is not what it was asked for.
    @Test func whatTheRunChoseIsNotPinned() throws {
      try scene.train()
      let settings = try scene.text("run/config.yaml").split(separator: "\n")
      #expect(settings.contains("  threads: 0") && settings.contains("  micro_batch: 0"))
      let chosen = try #require(settings.last)
      #expect(
        chosen.wholeMatch(
          of: /# Chosen at the last start: train\.threads \d+, train\.micro_batch \d+/) != nil)
      // On another number of threads, with the micro-batch that the checkpoint says.
      try scene.good("DIFFIT_THREADS=1 \"$diffit\" train --run run --set train.images=80")
      let starts = try scene.rows("run/starts.jsonl").filter { $0["event"] as? String == "start" }
      #expect(starts.last?["threads"] as? Int == 1)
      #expect(starts[0]["micro_batch"] as? Int == starts[1]["micro_batch"] as? Int)
    }

    @Test func whatNoRunIs() throws {
      for ranks in ["", "$mpirun -n 2 "] {
        try scene.refused(
          2, "\(ranks)\"$diffit\" train --run none", "none", "config.yaml", "--config")
        try scene.refused(2, "\(ranks)\"$diffit\" train", "--config is missing", "--run")
      }
      #expect(!scene.exists("none"))
    }

    /// Who started the run, with what, and when; and when each row was written.
    @Test func startsAndEndsAreOnRecord() throws {
      let before = Date().addingTimeInterval(-1)
      try scene.train()
      let running = try scene.command(
        "exec \"$diffit\" train --run run --set train.images=10M --set log.every=16")
      let stopped = try running.run { running in
        try running.wait(until: "a row") { try images.last ?? 0 > 64 }
        try running.signal(SIGUSR1)
      }
      #expect(stopped.code == 64)
      let rows = try scene.rows("run/starts.jsonl")
      #expect(rows.map { $0["event"] as? String } == ["start", "end", "start", "end"])
      #expect(
        rows[0]["command"] as? [String] == [
          try Command.product("diffit"), "train", "--config",
          try #require(scene.command("").environment["config"]), "--run", "run",
        ] + Scene.small.split(separator: " ").map(String.init))
      #expect((rows[0]["build"] as? String)?.contains("commit") == true)
      #expect((rows[0]["folder"] as? String)?.hasSuffix(scene.folder.url.lastPathComponent) == true)
      #expect(rows[1]["outcome"] as? String == "done" && rows[1]["images"] as? Int == 64)
      #expect(rows[2]["images"] as? Int == 64 && rows[2]["ranks"] as? Int == 1)
      #expect((rows[3]["outcome"] as? String)?.contains("SIGUSR1") == true)
      let times = try (rows + scene.rows("run/stats.jsonl")).map {
        try Date(try #require($0["time"] as? String), strategy: .iso8601)
      }
      #expect(times.allSatisfy { before <= $0 && $0 <= Date() })
      #expect(times.prefix(4).sorted() == Array(times.prefix(4)))
    }

    @Test func aRunThatFailsSaysWhyInItsRecord() throws {
      let bad = "--set optimizer.on_nonfinite=stop"
      let outcome = try scene.run(
        "DIFFIT_TEST_FAULT=nan@images=32 \"$diffit\" train --config \"$config\" --run run"
          + " \(Scene.small) \(bad)")
      #expect(outcome.code == 1)
      let last = try scene.rows("run/starts.jsonl").last
      #expect((last?["outcome"] as? String)?.contains("not finite") == true)
    }

    /// What a run takes is told before it begins; a run that has begun knows its own speed.
    @Test func theDryRunTellsTimeAndDisk() throws {
      let first = try scene.good("\"$diffit\" train --config \"$config\" --dry-run").output
      #expect(first.contains("\n# time ") && first.contains("estimated as 70 % of "))
      // 55,319 parameters and gaps, times weights, two moments and an average; two checkpoints and
      // no third.
      let disk = try #require(first.split(separator: "\n").first { $0.hasPrefix("# disk ") })
      #expect(disk.contains("2 checkpoints of 86"), "\(disk)")
      try scene.train()
      let later = try scene.good("\"$diffit\" train --run run --set train.images=1M --dry-run")
        .output
      #expect(
        later.contains("measured by the run's last row") && later.contains("for 999.9k images")
          || later.contains("for 1M images"))
    }
  }
}
