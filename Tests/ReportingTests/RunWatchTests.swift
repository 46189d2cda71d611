import Reporting
import Testing

@Suite struct RunWatchTests {
  @Test func sparkline() {
    #expect(RunWatch.sparkline([0, 1, 2, 3, 4, 5, 6, 7], width: 8) == "▁▂▃▄▅▆▇█")
    #expect(RunWatch.sparkline([1, 3, 5, 7], width: 2) == "▁█")
    #expect(RunWatch.sparkline([1, .nan, 2], width: 9) == "▁ █")
    #expect(RunWatch.sparkline([2, 2], width: 9) == "▁▁")
    #expect(RunWatch.sparkline([], width: 9).isEmpty)
    #expect(RunWatch.sparkline([.nan], width: 3) == " ")
  }

  @Test func viewFitsTheTerminal() throws {
    let run = try RunFixture()
    let lines = RunWatch.view(try RunHistory(path: run.path), width: 60)
    #expect(lines.allSatisfy { $0.count <= 60 })
    #expect(lines.first?.hasSuffix(": done") == true)
    #expect(lines.contains { $0.hasPrefix("images     20k of 40k (50%), 100/s") })
    #expect(lines.contains { $0.contains("rank 1 is slow") })
    #expect(lines.contains("ranks      2 x 1 thread"))
  }

  @Test func lineOfARun() throws {
    let run = try RunFixture()
    let line = RunWatch.line(try RunHistory(path: run.path))
    #expect(line.hasSuffix(": 20000 images  loss 0.0500  100/s"))
  }
}
