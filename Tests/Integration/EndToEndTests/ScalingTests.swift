import FixtureSupport
import Foundation
import ProcessSupport
import Testing

extension EndToEndTests {
  /// `scaling` from measurement to prediction.
  @Suite("Scaling") struct ScalingTests {
    let scene: Scene

    init() throws { scene = try Scene() }

    private func json(_ name: String) throws -> [String: Any] {
      try #require(try JSONSerialization.jsonObject(with: scene.bytes(name)) as? [String: Any])
    }

    private func measure(_ file: String, ranks: Int) throws -> Outcome {
      try Diffit.run(
        "scaling", "measure", "--config", Repository.debug, "--set", "train.threads=1", "--batch",
        "4", "--steps", "3", "--json", scene.path(file), ranks: ranks)
    }

    @Test func twoRanksFromMeasurementToPrediction() throws {
      let measured = try measure("two.json", ranks: 2)
      #expect(measured.code == 0 && measured.errors.isEmpty, "\(measured.errors)")
      #expect(measured.output.contains("2 ranks on 1 host, 1 thread each"))
      let two = try json("two.json")
      #expect(two["ranks"] as? Int == 2 && (two["hosts"] as? [String])?.count == 2)
      #expect(two["batch"] as? Int == 4 && two["global_batch"] as? Int == 32)
      let network = try #require(two["network"] as? [String: Any])
      #expect(network["parameters"] as? Int == 55_319)
      let alone = try #require(two["alone"] as? [String: Double])
      let together = try #require(two["together"] as? [String: Double])
      let phases = ["forward", "backward", "optimizer"].compactMap { alone[$0] }
      #expect(phases.count == 3 && phases.allSatisfy { $0 > 0 })
      #expect(phases.reduce(0, +) < 1.5 * (alone["seconds"] ?? 0))
      #expect(together["exposed_communication"] ?? 0 > 0)
      #expect(together["exposed_communication"] ?? 9 < together["seconds"] ?? 0)
      let sums = try #require(two["allreduce"] as? [[String: Double]])
      #expect(sums.count >= 8 && sums.allSatisfy { $0["seconds"] ?? 0 > 0 })
      let gradient = try #require(two["gradient"] as? [String: Double])
      let elements = try #require(network["gradient_elements"] as? Int)
      #expect(gradient["bytes"] == Double(4 * elements))

      let predicted = try Diffit.run(
        "scaling", "predict", scene.path("two.json"), "--json", scene.path("predicted.json"))
      #expect(predicted.code == 0 && predicted.errors.isEmpty, "\(predicted.errors)")
      #expect(predicted.output.contains("held out every second size"))
      let report = try json("predicted.json")
      let weak = try #require(report["weak"] as? [[String: Any]])
      #expect(weak.compactMap { $0["ranks"] as? Int } == (0...10).map { 1 << $0 })
      let strong = try #require(report["strong"] as? [[String: Any]])
      #expect(strong.compactMap { $0["ranks"] as? Int } == (0...5).map { 1 << $0 })
      for rows in [weak, strong] {
        let efficiency = rows.compactMap {
          ($0["overlapped"] as? [String: Double])?["efficiency"]
        }
        #expect(efficiency.count == rows.count && efficiency.allSatisfy { $0 > 0 && $0 <= 1 })
        #expect(efficiency == efficiency.sorted(by: >))
      }
      #expect((report["assumptions"] as? [String])?.count ?? 0 >= 5)
      #expect((report["steps"] as? [[String: Double]])?.first?["ranks"] == 2)
    }

    @Test func oneRankAndAStatedLinkForAnotherNetwork() throws {
      #expect(try measure("one.json", ranks: 0).code == 0)
      #expect(try json("one.json")["together"] == nil)
      let none = try Diffit.run("scaling", "predict", scene.path("one.json"))
      #expect(none.code == 2 && none.complaints.count == 1, "\(none.errors)")
      #expect(none.errors.contains("--link-gbps"))
      let stated = try Diffit.run(
        "scaling", "predict", scene.path("one.json"), "--link-gbps", "10", "--latency-us", "20",
        "--ranks", "2,1024", "--config", Repository.debug, "--set", "model.blocks=2,2", "--json",
        "-")
      #expect(stated.code == 0, "\(stated.errors)")
      let report = try #require(
        try JSONSerialization.jsonObject(with: Data(stated.output.utf8)) as? [String: Any])
      let network = try #require(report["network"] as? [String: Any])
      #expect(network["blocks"] as? [Int] == [2, 2])
      let compute = try #require(report["compute"] as? [String: Double])
      #expect(compute["seconds_per_image"] ?? 0 > 0)
    }

    /// One line each, and the exit code of bad usage where the command is at fault.
    @Test func mistakes() throws {
      let bad = scene.path("bad.json")
      try Data("{\"ranks\": 2}".utf8).write(to: URL(fileURLWithPath: bad))
      for (arguments, code, words) in [
        (["predict", bad], 1, "hosts is missing"),
        (["predict", scene.path("none.json")], 1, "cannot be read"),
        (["predict", bad, "--ranks", "1,two"], 2, "--ranks 1,two"),
        (["predict", bad, "--nosuch"], 2, "diffit scaling predict --help"),
        (["measure", "--batch", "0", "--json", bad], 2, "--batch 0"),
        (["measure"], 2, "diffit scaling measure --help"),
      ] {
        let outcome = try Diffit.command(["scaling"] + arguments).run()
        #expect(outcome.code == code && outcome.complaints.count == 1, "\(outcome.errors)")
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
      }
      let ranks = try Diffit.run(
        "scaling", "measure", "--set", "model.widow=4", "--json", bad, ranks: 2)
      #expect(ranks.code == 2 && ranks.complaints.count == 1, "\(ranks.errors)")
    }
  }
}
