import FixtureSupport
import Foundation
import Reporting
import Testing

@Suite struct OpenMetricsFileTests {
  /// Samples by name, read by the rules of Prometheus's text format.
  static func samples(_ text: String) throws -> [String: (label: String, value: Double)] {
    var samples: [String: (label: String, value: Double)] = [:]
    var typed: Set<Substring> = []
    try #require(text.hasSuffix("\n"))
    for line in text.split(separator: "\n") {
      if line.hasPrefix("# TYPE ") {
        let words = line.split(separator: " ")
        try #require(words.count == 4 && words[3] == "gauge" && typed.insert(words[2]).inserted)
        continue
      }
      if line.hasPrefix("# HELP ") { continue }
      let match = try #require(
        line.wholeMatch(of: /([a-z_]+)\{run="((?:[^"\\]|\\.)*)"\} (\S+)/))
      try #require(typed.contains(match.1))
      samples[String(match.1)] = (String(match.2), try #require(Double(match.3)))
    }
    return samples
  }

  @Test func figuresWithHelpTypeAndLabel() throws {
    let text = OpenMetricsFile.text(
      ["diffit_images_seen": 12_000, "diffit_loss": 0.25, "diffit_gradient_norm": .nan],
      run: "a \"b\"\\c")
    let samples = try Self.samples(text)
    #expect(samples.keys.sorted() == ["diffit_gradient_norm", "diffit_images_seen", "diffit_loss"])
    #expect(samples["diffit_images_seen"]?.value == 12_000)
    #expect(samples["diffit_loss"]?.label == #"a \"b\"\\c"#)
    #expect(samples["diffit_gradient_norm"]?.value.isNaN == true)
  }

  @Test func aStallIsMarkedInTheFileThatIsThere() throws {
    let scratch = try TemporaryFolder()
    let path = scratch.file("metrics.prom").path
    try OpenMetricsFile.write(["diffit_stalled": 0, "diffit_ranks": 4], run: "r", to: path)
    OpenMetricsFile.markStalled(path)
    let samples = try Self.samples(String(contentsOfFile: path, encoding: .utf8))
    #expect(samples["diffit_stalled"]?.value == 1)
    #expect(samples["diffit_ranks"]?.value == 4)
    OpenMetricsFile.markStalled(scratch.file("none").path)
  }

  @Test func outputsOfARunFollowIt() throws {
    let run = try RunFixture()
    let outputs = try RunOutputs(
      run: run.path, from: 0, ranks: 2,
      RunOutputs.Options(report: true, tensorBoard: true, openMetrics: true),
      warn: { Issue.record("\($0)") })
    try run.append(RunFixture.row(21_000, loss: 7), to: "stats.jsonl")
    outputs.update()
    let text = try String(contentsOfFile: "\(run.path)/metrics.prom", encoding: .utf8)
    let samples = try Self.samples(text)
    #expect(samples["diffit_images_seen"]?.value == 21_000)
    #expect(samples["diffit_images_target"]?.value == 40_000)
    #expect(samples["diffit_ranks"]?.value == 2)
    #expect(Set(samples.keys).isSubset(of: OpenMetricsFile.names.map(\.0)))
    #expect(FileManager.default.fileExists(atPath: "\(run.path)/report.html"))
    let folder = "\(run.path)/tensorboard"
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    let file = try #require(names.first)
    let events = try EventFileTests.records(
      Array(Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(file)"))))
    // Version, start, settings, and the one row that is new.
    #expect(names.count == 1 && events.count == 4)
  }

  @Test func whatCannotBeWrittenIsSaidOnce() throws {
    let run = try RunFixture()
    try run.scratch.makeFolder("report.html")
    var warnings: [String] = []
    let outputs = try RunOutputs(
      run: run.path, from: 0, ranks: 1,
      RunOutputs.Options(report: true, tensorBoard: false, openMetrics: false),
      warn: { warnings.append($0) })
    outputs.update(status: .done)
    outputs.update(status: .done)
    #expect(warnings.count == 1)
    #expect(warnings.first?.hasPrefix("report.html cannot be kept up to date: ") == true)
  }

  @Test func theDashboardAsksForFiguresThatExist() throws {
    let path = Repository.path("docs/grafana-dashboard.json")
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    let dashboard = try #require(
      try JSONSerialization.jsonObject(with: data) as? [String: Any])
    let panels = try #require(dashboard["panels"] as? [[String: Any]])
    let queries = panels.flatMap { $0["targets"] as? [[String: Any]] ?? [] }
      .compactMap { $0["expr"] as? String }
    let asked = queries.flatMap { $0.matches(of: /diffit_[a-z_]+/).map { String($0.output) } }
    #expect(asked.count >= 8)
    #expect(Set(asked).isSubset(of: OpenMetricsFile.names.map(\.0)))
  }
}
