import ProcessSupport
import Testing

extension EndToEndTests {
  /// `parallel.reduction: reproducible`: the same bits, whoever computes what.
  @Suite("Reproducible sums") struct ReproducibleTests {
    let scene: Scene

    init() throws { scene = try Scene() }

    /// Trains with two images a canonical shard.
    private func run(
      _ name: String, ranks: Int, _ settings: [String] = []
    ) throws -> RunFolder {
      let run = RunFolder(scene, name)
      let all = ["parallel.reduction=reproducible", "train.micro_batch=0"] + settings
      let outcome = try Diffit.training(run.path, all).onRanks(ranks).run()
      try #require(outcome.code == 0, "\(settings) on \(ranks) ranks: \(outcome.errors)")
      return run
    }

    @Test(arguments: ["fp32", "bf16"])
    func oneToEightRanksWithAndWithoutASharedOptimiser(wire: String) throws {
      let wire = "parallel.wire=\(wire)"
      let alone = try run("alone", ranks: 0, [wire])
      #expect(try alone.text("log.txt").contains("in micro-batches of 2"))
      for ranks in [2, 4, 8] {
        try expectSameBits(run("whole-\(ranks)", ranks: ranks, [wire]), alone, images: 96)
        let sharded = try run(
          "sharded-\(ranks)", ranks: ranks, [wire, "parallel.shard_optimizer=true"])
        try expectSameBits(sharded, alone, images: 96)
      }
    }

    @Test func whoMovesMessagesAndInWhatPiecesChangesNoBit() throws {
      let alone = try run("alone", ranks: 0)
      for progress in ["calls", "thread", "none"] {
        let pieces = try run(
          progress, ranks: 2,
          ["parallel.progress=\(progress)", "parallel.bucket_mb=0.02", "train.threads=2"])
        try expectSameBits(pieces, alone, images: 96)
      }
    }

    /// Stages of 32 channels compute in bf16.
    @Test func halfPrecision() throws {
      let half = ["train.precision=bf16", "model.channels=32,32", "parallel.wire=bf16"]
      let alone = try run("alone", ranks: 0, half)
      let four = try run("four", ranks: 4, half + ["train.recompute=true"])
      try expectSameBits(four, alone, images: 96)
    }

    @Test func stoppedOnFourRanksAndResumedOnTwo() throws {
      let whole = try run("whole", ranks: 0)
      let sharded = "parallel.shard_optimizer=true"
      _ = try run("parts", ranks: 4, ["train.images=48", sharded])
      _ = try run("parts", ranks: 2, ["train.images=80"])
      try expectSameBits(run("parts", ranks: 8, [sharded]), whole, images: 96)
    }

    /// The wire's rounding is another number than none.
    @Test func theWireRounds() throws {
      let (exact, rounded) = (
        try run("exact", ranks: 2), try run("rounded", ranks: 2, ["parallel.wire=bf16"])
      )
      #expect(try exact.export() != rounded.export())
      for (row, other) in zip(try exact.rows, try rounded.rows) {
        #expect(abs(row.loss - other.loss) < 1e-2 * other.loss)
      }
    }

    @Test func ranksThatDoNotDivideTheShards() throws {
      let settings = ["parallel.reduction=reproducible", "train.micro_batch=0"]
      let outcome = try Diffit.training(scene.path("three"), settings).onRanks(3).run()
      #expect(outcome.code == 2 && outcome.complaints.count == 1, "\(outcome)")
      #expect(outcome.errors.contains("8 canonical shards cannot be spread over 3 ranks"))
      #expect(!scene.exists("three"))
    }
  }

  /// The other ways of adding up, which are right to rounding.
  @Suite("Sharded and rounded sums") struct FastTests {
    let scene: Scene

    init() throws { scene = try Scene() }

    @Test func aSharedOptimiserLearnsTheSame() throws {
      let (alone, sharded) = (RunFolder(scene, "alone"), RunFolder(scene, "sharded"))
      try alone.train("sample.every=48", "sample.count=4", "sample.steps=2")
      try sharded.train(
        "sample.every=48", "sample.count=4", "sample.steps=2", "parallel.shard_optimizer=true",
        "parallel.bucket_mb=0.02", ranks: 3)
      try expectSameLosses(sharded, alone)
      try expectSameWeights(sharded.tensors(), alone.tensors())
      try expectSameWeights(sharded.tensors(ema: "ema"), alone.tensors(ema: "ema"))
      // The averages were brought together for the grid.
      #expect(scene.names(in: "sharded/samples") == scene.names(in: "alone/samples"))
    }

    @Test func bf16OnTheWire() throws {
      let (alone, rounded) = (RunFolder(scene, "alone"), RunFolder(scene, "rounded"))
      try alone.train()
      try rounded.train("parallel.wire=bf16", ranks: 3)
      #expect(try rounded.rows.last?.loss != alone.rows.last?.loss)
      for (row, other) in zip(try rounded.rows, try alone.rows) {
        #expect(abs(row.loss - other.loss) < 1e-2 * other.loss)
      }
    }

    /// A checkpoint written beside training holds what one written at once does.
    @Test func savingMeanwhileChangesNothing() throws {
      let (waiting, meanwhile) = (RunFolder(scene, "waiting"), RunFolder(scene, "meanwhile"))
      for (run, flag) in [(waiting, "false"), (meanwhile, "true")] {
        try run.train(
          "checkpoint.async=\(flag)", "checkpoint.every=16", "checkpoint.keep=9", ranks: 2)
      }
      #expect(meanwhile.checkpoints == waiting.checkpoints && waiting.checkpoints.count == 6)
      for images in stride(from: 16, through: 96, by: 16) {
        try expectSameBits(meanwhile, waiting, images: images)
      }
    }
  }
}
