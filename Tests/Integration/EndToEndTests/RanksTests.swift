import Testing

extension EndToEndTests {
  /// However many ranks and threads share the work, the same is learnt.
  @Suite("Ranks and threads") struct RanksTests {
    let scene: Scene

    init() throws { scene = try Scene() }

    @Test func oneTwoAndFourRanksLearnTheSame() throws {
      let alone = RunFolder(scene, "alone")
      try alone.train()
      #expect(try alone.rows.map(\.images) == [16, 32, 48, 64, 80, 96])
      // It learns, so that agreement means something.
      let losses = try alone.rows.map(\.loss)
      #expect(Set(losses).count == losses.count && losses.allSatisfy { $0 > 0.1 && $0 < 3 })
      let weights = try (alone.tensors(), alone.tensors(ema: "ema"))
      for ranks in [1, 2, 4] {
        let run = RunFolder(scene, "ranks-\(ranks)")
        try run.train(ranks: ranks)
        try expectSameLosses(run, alone)
        try expectSameWeights(run.tensors(), weights.0)
        try expectSameWeights(run.tensors(ema: "ema"), weights.1)
      }
    }

    @Test func aBatchThatTheRanksDoNotDivide() throws {
      let (alone, three) = (RunFolder(scene, "alone"), RunFolder(scene, "three"))
      try alone.train("model.classes=0", "train.micro_batch=0")
      try three.train("model.classes=0", "train.micro_batch=0", ranks: 3)
      try expectSameLosses(three, alone)
      try expectSameWeights(three.tensors(), alone.tensors())
    }

    /// One rank of four has a single image, the others two or none of a micro-batch more.
    @Test func moreRanksThanAMicroBatchHasImages() throws {
      let (alone, four) = (RunFolder(scene, "alone"), RunFolder(scene, "four"))
      try alone.train("train.batch=5", "train.micro_batch=5", "train.images=30", "log.every=5")
      try four.train(
        "train.batch=5", "train.micro_batch=5", "train.images=30", "log.every=5", ranks: 4)
      try expectSameLosses(four, alone)
      try expectSameWeights(four.tensors(), alone.tensors())
    }

    @Test func threadsChangeNoBit() throws {
      let (one, three) = (RunFolder(scene, "one"), RunFolder(scene, "three"))
      try one.train("train.micro_batch=8")
      try three.train("train.micro_batch=8", "train.threads=3")
      #expect(try three.text("log.txt").contains("1 x 3 threads"))
      try expectSameBits(three, one, images: 96)
    }

    @Test func theSameRunTwiceIsTheSame() throws {
      let runs = ["first", "second"].map { RunFolder(scene, $0) }
      for run in runs { try run.train("train.threads=2", "train.micro_batch=8", ranks: 2) }
      try expectSameBits(runs[0], runs[1], images: 96)
    }

    @Test func anotherSeedLearnsSomethingElse() throws {
      let (one, other) = (RunFolder(scene, "one"), RunFolder(scene, "other"))
      try one.train()
      try other.train("train.seed=1")
      #expect(try one.rows.map(\.loss) != other.rows.map(\.loss))
      #expect(try one.export() != other.export())
    }
  }
}
