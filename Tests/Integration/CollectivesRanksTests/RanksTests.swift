import ProcessSupport
import Testing

/// What starts jobs; one at a time.
@Suite(.serialized) enum JobTests {}

extension JobTests {
  /// Collectives under a real `mpirun`, also with more ranks than cores.
  @Suite struct RanksTests {
    @Test(arguments: [
      "ranks", "values", "memory", "chunks", "reducer", "tree", "pieces", "digests", "agreement",
    ])
    func passes(check: String) throws {
      for ranks in 1...4 {
        let outcome = try Job.run(check, ranks: ranks)
        #expect(outcome.code == 0 && outcome.output.isEmpty, "\(ranks) ranks: \(outcome.output)")
      }
    }

    @Test(arguments: [
      "ranks", "values", "memory", "reducer", "tree", "pieces", "digests", "agreement",
    ])
    func passesWithoutLauncher(check: String) throws {
      let outcome = try Job.run(check, ranks: 0)
      #expect(outcome.code == 0 && outcome.output.isEmpty, "\(outcome.output)")
    }

    @Test func anErrorOnOneRankEndsAllWithItsCodeAndOneLine() throws {
      for ranks in 2...4 {
        let outcome = try Job.run("failure", ranks: ranks)
        #expect(outcome.code == 2)
        let line = try #require(outcome.lines.first, "no message")
        #expect(outcome.lines.count == 1, "\(outcome.output)")
        #expect(line.hasPrefix("agreed: rank \(ranks - 1) on ") && line.hasSuffix(": disk full"))
      }
    }

    @Test func unequalReplicasEndAllRanksWithOneLine() throws {
      let outcome = try Job.run("unequal", ranks: 3)
      #expect(outcome.code == 1)
      #expect(outcome.lines.count == 1, "\(outcome.output)")
      #expect(outcome.output.hasPrefix("agreed: weights on rank 2 differ"), "\(outcome.output)")
    }

    @Test func anAbortOnOneRankEndsThoseThatWaitForIt() throws {
      let outcome = try Job.run("abort", ranks: 3)
      #expect(outcome.code == 1)
      #expect(outcome.lines.contains("wrong: rank 2: lost"), "\(outcome.output)")
    }

    @Test func aProcessStartedByHandIsOneRankWithoutMPI() throws {
      let outcome = try Job.run("report", ranks: 0)
      #expect(outcome.code == 0)
      #expect(outcome.output.hasPrefix("0/1 threads "), "\(outcome.output)")
      #expect(outcome.output.hasSuffix("none (one rank)\n"), "\(outcome.output)")
    }

    @Test func ranksWithOneMaskShareItsCores() throws {
      let outcome = try Job.run("report", ranks: 4, environment: ["DIFFIT_THREADS": "3"])
      #expect(outcome.code == 0)
      #expect(outcome.lines.count == 4)
      #expect(outcome.lines.allSatisfy { $0.contains(" threads 3 ") }, "\(outcome.output)")
    }

    @Test func aForeignLauncherIsNoticed() throws {
      // As MPICH's mpirun would leave it: a size that the linked library does not confirm.
      let outcome = try Job.run(
        "ranks", ranks: 0, environment: ["PMI_SIZE": "4", "PMI_RANK": "0"])
      #expect(outcome.code == 3)
      #expect(outcome.output.contains("the launcher started 4 ranks"), "\(outcome.output)")
      #expect(outcome.output.contains("sees 1"), "\(outcome.output)")
    }

    @Test func anOldCoreOfOpenBLASIsRepairedBeforeMPIStarts() throws {
      for ranks in 0...2 {
        let outcome = try Job.run(
          "blas", "kept argument", ranks: ranks, environment: ["OPENBLAS_CORETYPE": "Prescott"])
        #expect(outcome.code == 0 && outcome.output.isEmpty, "\(ranks) ranks: \(outcome.output)")
      }
    }

    @Test func theRepairIsTriedOnce() throws {
      let outcome = try Job.run(
        "blas", "kept argument", ranks: 0,
        environment: ["OPENBLAS_CORETYPE": "Prescott", "DIFFIT_OPENBLAS_CORE": "Prescott"])
      // On a CPU without AVX2 there is nothing to repair.
      #expect(outcome.code == 0 || outcome.output.contains("was not repaired"), "\(outcome.output)")
    }
  }
}
