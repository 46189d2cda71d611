import Checkpoints
import ErrorSupport
import FixtureSupport
import Foundation
import SystemSupport
import Testing

@Suite struct StatsFileTests {
  struct Row: Encodable {
    var images: Int
    var loss: Double
  }
  let scratch: TemporaryFolder
  var url: URL { scratch.file("stats.jsonl") }

  init() throws { scratch = try TemporaryFolder() }

  func text() throws -> String { String(decoding: try Data(contentsOf: url), as: UTF8.self) }

  @Test func rowsAreThereAtOnce() throws {
    let stats = try StatsFile(url)
    try stats.append(Row(images: 8, loss: 0.5))
    #expect(try text() == "{\"images\":8,\"loss\":0.5}\n")
    try stats.append(Row(images: 16, loss: .nan))
    #expect(try text() == "{\"images\":8,\"loss\":0.5}\n{\"images\":16,\"loss\":\"nan\"}\n")
  }

  @Test func appendsToWhatIsThere() throws {
    try StatsFile(url).append(Row(images: 8, loss: 1))
    try StatsFile(url).append(Row(images: 16, loss: 2))
    #expect(try text() == "{\"images\":8,\"loss\":1}\n{\"images\":16,\"loss\":2}\n")
  }

  @Test func tornLastRowIsCutBeforeTheNext() throws {
    try scratch.write("{\"images\":8}\n{\"ima", "stats.jsonl")
    try StatsFile(url).append(Row(images: 16, loss: 2))
    #expect(try text() == "{\"images\":8}\n{\"images\":16,\"loss\":2}\n")
  }

  @Test func truncatesPastACheckpoint() throws {
    let rows = "{\"images\":8,\"loss\":0.10}\n{\"note\":1}\n{\"images\":16}\n"
    try scratch.write(rows + "{\"images\":24}\nnot json\n{\"images\":3", "stats.jsonl")
    let result = try StatsFile.truncate(url, afterImages: 16)
    #expect(result == StatsFile.Truncation(kept: 3, dropped: 1, unreadable: 2))
    #expect(try text() == rows)
    #expect(try names(in: scratch.url) == ["stats.jsonl"])
    #expect(
      try StatsFile.truncate(url, afterImages: 16)
        == StatsFile.Truncation(kept: 3, dropped: 0, unreadable: 0))
  }

  @Test func truncatesToNothing() throws {
    try scratch.write("{\"images\":8}\n", "stats.jsonl")
    #expect(try StatsFile.truncate(url, afterImages: 0).dropped == 1)
    #expect(try text() == "")
  }

  @Test func nothingToTruncate() throws {
    #expect(try StatsFile.truncate(url, afterImages: 0) == StatsFile.Truncation())
    #expect(try names(in: scratch.url).isEmpty)
  }

  @Test func rowThatIsNoObject() throws {
    let stats = try StatsFile(url)
    guard case CheckpointError.statsRow? = thrownError(by: { try stats.append([1, 2]) }) else {
      Issue.record("a list was written as a row")
      return
    }
    #expect(try text() == "")
  }

  @Test func fullDisk() throws {
    try FileManager.default.createSymbolicLink(
      atPath: url.path, withDestinationPath: "/dev/full")
    let stats = try StatsFile(url)
    #expect(
      thrownError { try stats.append(Row(images: 8, loss: 1)) }
        == FileError.system(operation: "write", path: url.path, code: ENOSPC))
  }
}
