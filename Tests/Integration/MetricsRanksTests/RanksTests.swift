import FixtureSupport
import Foundation
import ProcessSupport
import Testing

private let features = Repository.reference("metrics/scores.safetensors")

@Suite("Scores under mpirun", .serialized) struct RanksTests {
  private func scores(ranks: Int, _ more: String...) throws -> [String: Double] {
    let program = try Command.product("MetricsProbe")
    var command = Command(
      [program, features.path, "threads=1", "subsets=5", "subset_size=40"] + more)
    command.merged = true
    let outcome = try command.onRanks(ranks).run()
    #expect(outcome.code == 0, "\(outcome.output)")
    var found: [String: Double] = [:]
    for line in outcome.lines {
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
      for (name, value) in object where !name.hasPrefix("seconds") {
        if let value = value as? Double { found[name] = value }
      }
    }
    return found
  }

  /// Rows give the same bits, sums the same but for their rounding. Three ranks share unevenly.
  @Test(arguments: [2, 3])
  func anyNumberOfRanksGivesTheSame(ranks: Int) throws {
    let alone = try scores(ranks: 0)
    let found = try scores(ranks: ranks, "batch=11")
    let names = [
      "fid", "is_mean", "is_std", "is_adm_mean", "is_adm_std", "kid_mean", "kid_std", "precision",
      "recall", "sfid",
    ]
    #expect(found.keys.sorted() == (names + ["images"]).sorted())
    for name in names {
      let (value, expected) = (try #require(found[name]), try #require(alone[name]))
      if name == "fid" || name == "sfid" {
        #expect(abs(value - expected) < 1e-10 * expected, "\(name)")
      } else {
        #expect(value == expected, "\(name)")
      }
    }
  }

  /// Each rank alone would have enough or too few; all of them together decide, and leave together.
  @Test func tooFewImagesAreAgreedOn() throws {
    let program = try Command.product("MetricsProbe")
    var command = Command([program, features.path, "threads=1", "subset_size=151"])
    command.merged = true
    let outcome = try command.onRanks(2).run()
    #expect(outcome.code == 1)
    #expect(
      outcome.lines.last
        == "agreed: kid: found 150 samples, expected at least 151; make more samples, or leave kid out",
      "\(outcome.output)")
  }
}
