import Collectives
import Testing

/// What needs no second rank.
@Suite struct GradientBucketsTests {
  @Test func bucketsAreConsecutiveAlignedAndOfTheSizeAskedFor() {
    let granule = GradientBuckets.granule
    let buckets = GradientBuckets(count: 15_871_427, bucketMB: 25)
    #expect(buckets.ranges.first?.lowerBound == 0)
    #expect(buckets.ranges.last?.upperBound == 15_871_427)
    #expect(
      zip(buckets.ranges, buckets.ranges.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
    #expect(buckets.ranges.allSatisfy { $0.lowerBound % granule == 0 })
    let bytes = (buckets.ranges.first?.count ?? 0) * 4
    #expect(bytes >= 25_000_000 && bytes < 25_000_000 + granule * 4)
    // Two whole ones, and a rest of 13.5 MB cut into halves down to 1 MB.
    let rest = buckets.ranges.dropFirst(2).map { $0.count * 4 }
    #expect(buckets.ranges[1].count == buckets.ranges[0].count && rest.count == 4)
    #expect(zip(rest, rest.dropFirst()).allSatisfy { $0 > $1 && $0 < 2 * $1 + 2 * granule * 4 })
    #expect(rest[3] < 2 << 20)
  }

  @Test(arguments: [1, 2, 3, 8, 100])
  func piecesCoverABucket(ranks: Int) {
    let buckets = GradientBuckets(count: 100_000, bucketMB: 0.2)
    for bucket in buckets.ranges.indices {
      let pieces = buckets.pieces(of: bucket, ranks: ranks)
      #expect(pieces.count == ranks)
      #expect(Array(pieces.joined()) == Array(buckets.ranges[bucket]))
      #expect(pieces.allSatisfy { $0.isEmpty || $0.lowerBound % GradientBuckets.granule == 0 })
    }
  }

  @Test func tinyHugeAndEmptyBucketsHold() {
    #expect(
      GradientBuckets(count: 10_000, bucketMB: 1e-9).ranges.map(\.count) == [4096, 4096, 1808])
    #expect(GradientBuckets(count: 10_000, bucketMB: 1e30).ranges == [0..<10_000])
    #expect(GradientBuckets(count: 0, bucketMB: 25).ranges.isEmpty)
  }

  @Test func indicesTouchingARange() {
    let buckets = GradientBuckets(count: 10_000, bucketMB: 0.016)
    #expect(buckets.indices(touching: 0..<4096) == 0..<1)
    #expect(buckets.indices(touching: 4095..<4097) == 0..<2)
    #expect(buckets.indices(touching: 8192..<10_000) == 2..<3)
    #expect(buckets.indices(touching: 5000..<5000).isEmpty)
  }
}

@Suite struct LauncherTests {
  @Test func environmentsAreRecognised() {
    #expect(Launcher(environment: [:]) == .none)
    #expect(Launcher(environment: ["OMPI_COMM_WORLD_SIZE": "4"]) == .mpi(ranks: 4))
    #expect(Launcher(environment: ["PMI_SIZE": "3", "PMI_RANK": "1"]) == .mpi(ranks: 3))
    #expect(
      Launcher(environment: ["PMIX_RANK": "0", "SLURM_STEP_NUM_TASKS": "8"]) == .mpi(ranks: 8))
  }

  @Test func aBatchScriptIsOneRankAndTasksWithoutPMIAreAnError() {
    #expect(Launcher(environment: ["SLURM_PROCID": "0", "SLURM_NTASKS": "8"]) == .none)
    let lost = Launcher(environment: ["SLURM_PROCID": "1", "SLURM_STEP_NUM_TASKS": "2"])
    #expect(lost == .tasksWithoutManager(2))
    #expect(throws: CommunicationError.noProcessManager(tasks: 2)) { try lost.start() }
  }
}

@Suite struct CoreShareTests {
  @Test func threadsFollowFromTheShare() {
    #expect(CoreShare(cores: 8, sharers: 1).threads == 8)
    #expect(CoreShare(cores: 8, sharers: 3).threads == 2)
    #expect(CoreShare(cores: 2, sharers: 4).threads == 1)
    #expect(CoreShare(cores: 64, sharers: 1, limit: 2.5).threads == 2)
    #expect(CoreShare(cores: 64, sharers: 2, limit: 0.5).threads == 1)
    #expect(CoreShare(cores: 2, sharers: 4, asked: 5).threads == 5)
  }
}

@Suite struct CommunicationErrorTests {
  @Test func everyErrorIsOneLineThatSaysWhatToDo() {
    let errors: [(CommunicationError, String)] = [
      (.failed(rank: 3, operation: "reduce", reason: "MPI_ERR_TRUNCATE"), "rank 3"),
      (.launcherMismatch(launched: 4, found: 1, library: "Open MPI v4.1.4"), "4 ranks"),
      (.noProcessManager(tasks: 2), "--mpi=pmix"),
      (.replicasDiffer(what: "weights", ranks: [1, 3]), "ranks 1, 3"),
      (.agreed(rank: 1, message: "disk full", code: 1), "disk full"),
    ]
    for (error, part) in errors {
      #expect(error.description.contains(part) && !error.description.contains("\n"))
    }
  }
}
