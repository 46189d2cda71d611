import FixtureSupport
import Foundation
import Reporting
import SystemSupport
import Testing

@Suite struct RunHistoryTests {
  @Test func readsTicksMetricsGridsAndEvents() throws {
    let run = try RunFixture()
    let history = try RunHistory(path: run.path)
    #expect(history.ticks.map(\.images) == (1...20).map { 1000 * $0 })
    #expect(history.ticks[3].loss == 0.25)
    #expect(history.ticks[0].levels.map(\.name) == ["sigma 0.1 to 1", "sigma from 1 on"])
    #expect(history.ticks[0].levels[1].loss.isNaN)
    #expect(history.measurements.map(\.values) == [["fd_random": 0.25, "loss": 0.5]])
    #expect(
      history.grids.map { "\($0.images) \($0.kind)" } == [
        "1000 ema", "1000 raw", "2000 ema", "2000 raw",
      ])
    #expect(history.events.map(\.kind) == [.started, .warning, .done])
    #expect(history.events[1].images == 3000)
    #expect(
      history.header.prefix(2) == [
        "DiffiT <image>: 12 parameters, wide & deep", "ranks: 2 x 1 thread",
      ])
    #expect(history.target == 40_000)
    #expect(history.secondsLeft == 200)
    #expect(history.status == .done)
  }

  @Test func refreshReadsOnlyWholeNewLines() throws {
    let run = try RunFixture()
    var history = try RunHistory(path: run.path)
    let row = RunFixture.row(21_000, loss: 7)
    try run.append(String(row.dropLast(9)), to: "stats.jsonl")
    try history.refresh()
    #expect(history.ticks.count == 20)
    try run.append(String(row.suffix(9)), to: "stats.jsonl")
    try history.refresh()
    #expect(history.ticks.count == 21)
    #expect(history.ticks.last?.loss == 7)
    #expect(history.tornRows == 0)
  }

  @Test func aRunThatWentBackIsReadAnew() throws {
    let run = try RunFixture()
    var history = try RunHistory(path: run.path)
    try run.scratch.write(RunFixture.row(1000, loss: 3), "stats.jsonl")
    try history.refresh()
    #expect(history.ticks.map(\.loss) == [3])
    #expect(history.measurements.isEmpty)
  }

  @Test func tornRowsAreCounted() throws {
    let run = try RunFixture()
    try run.append("{\"images\": 3\n[1]\n\n", to: "stats.jsonl")
    let history = try RunHistory(path: run.path)
    #expect(history.tornRows == 2)
    #expect(history.ticks.count == 20)
  }

  @Test func statusFollowsLockAndLog() throws {
    let open = try RunFixture(end: nil)
    #expect(try RunHistory(path: open.path).status == .lost)
    let lock = try RunLock(directory: open.scratch.url)
    #expect(try RunHistory(path: open.path).status == .running)
    lock.release()
    let failed = try RunFixture(end: "error images=1 no room")
    #expect(try RunHistory(path: failed.path).status == .failed)
    let stopped = try RunFixture(end: "info  images=9 stopped on request (SIGINT) at 9 images")
    #expect(try RunHistory(path: stopped.path).status == .stopped)
  }

  @Test func whatIsNoRunIsRefused() throws {
    let scratch = try TemporaryFolder()
    let (folder, missing) = (scratch.url.path, scratch.file("none").path)
    #expect(throws: ReportError.noRun(path: folder, exists: true)) {
      try RunHistory(path: folder)
    }
    #expect(throws: ReportError.noRun(path: missing, exists: false)) {
      try RunHistory(path: missing)
    }
  }
}
