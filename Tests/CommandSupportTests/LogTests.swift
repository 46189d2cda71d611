import Collectives
import CommandSupport
import Foundation
import SystemSupport
import Testing

@Suite("What a run says")
struct LogTests {
  /// A folder with files that stand for the terminal's two streams.
  private final class Streams {
    let folder = FileManager.default.temporaryDirectory.appending(path: "log-\(UUID().uuidString)")
    let output: FileHandle
    let errors: FileHandle

    init() throws {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      for name in ["out", "err"] {
        try Data().write(to: folder.appending(path: name))
      }
      output = try FileHandle(forWritingTo: folder.appending(path: "out"))
      errors = try FileHandle(forWritingTo: folder.appending(path: "err"))
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func log(rank: Int = 0, isTerminal: Bool = false) -> RunLog {
      RunLog(
        rank: rank, output: output.fileDescriptor, errors: errors.fileDescriptor,
        isTerminal: isTerminal)
    }

    func text(_ name: String) throws -> String {
      try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }

    /// Lines of `log.txt` without the time, which each must begin with: 2026-11-27T23:10:00Z.
    var entries: [String] {
      get throws {
        try text("log.txt").split(separator: "\n").map { line in
          let form = #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ /#
          let time = try #require(line.prefixMatch(of: form))
          let date = try Date(String(time.output.dropLast()), strategy: .iso8601)
          #expect(abs(date.timeIntervalSinceNow) < 60)
          return String(line[time.range.upperBound...])
        }
      }
    }

    func path(_ name: String) -> String { folder.appending(path: name).path }
  }

  @Test func theFileHoldsWhatTheTerminalSaidWithoutProgress() throws {
    let streams = try Streams()
    let log = streams.log()
    log.info("before")
    try log.open(streams.path("log.txt"))
    log.info("after")
    var line = ProgressLine("train", of: 100, startedAt: 0)
    log.progress(&line, done: 100, at: 60)
    log.warning("odd")
    log.error("bad")
    log.images = 64
    log.info("again")
    #expect(
      try streams.entries == [
        "info  before", "info  after", "warning odd", "error bad", "info  images=64 again",
      ])
    #expect(try streams.text("err") == "warning: odd\nerror: bad\n")
    #expect(try streams.text("out").hasPrefix("before\nafter\ntrain  100 / 100 images"))
    #expect(try streams.text("out").hasSuffix("\nagain\n"))
  }

  @Test func linesHaveTimeLevelAndMetadata() {
    #expect(
      LogLine.text(.warning, "odd", metadata: ["rank": "1", "images": "8"], at: 1_795_821_000)
        == "2026-11-27T23:10:00Z warning images=8 rank=1 odd")
    #expect(LogLine.text(.info, "x", at: 0) == "1970-01-01T00:00:00Z info  x")
  }

  @Test func theFileIsAppendedTo() throws {
    let streams = try Streams()
    for word in ["first", "second"] {
      let log = streams.log()
      try log.open(streams.path("log.txt"))
      log.info(word)
    }
    #expect(try streams.entries == ["info  first", "info  second"])
  }

  @Test func otherRanksSayOnlyWhatIsWrong() throws {
    let streams = try Streams()
    let log = streams.log(rank: 3)
    try log.open(streams.path("log.txt"))
    log.info("ordinary")
    var line = ProgressLine("train", of: 1, startedAt: 0)
    log.progress(&line, done: 1, at: 60)
    log.warning("odd")
    #expect(try streams.text("out").isEmpty)
    #expect(try streams.text("err") == "rank 3: warning: odd\n")
    #expect(!FileManager.default.fileExists(atPath: streams.path("log.txt")))
    #expect(log.line(ofError: "gone").hasSuffix("Z error rank=3 gone"))
  }

  @Test func aTerminalsProgressLineIsOverwrittenAndCleared() throws {
    let streams = try Streams()
    let log = streams.log(isTerminal: true)
    var line = ProgressLine("train", of: 100, startedAt: 0)
    log.progress(&line, done: 10, at: 1)
    log.info("hello")
    let text = try streams.text("out")
    #expect(text.hasPrefix("\rtrain  10 / 100 images (10.0 %)"))
    #expect(text.hasSuffix("\u{1B}[K\r\u{1B}[Khello\n"))
  }

  @Test func namesOfOthersCannotActUponTheTerminal() throws {
    let streams = try Streams()
    let log = streams.log()
    try log.open(streams.path("log.txt"))
    log.warning("skipped a\u{1B}[2J\nb.png")
    let shown = #"skipped a\u{1b}[2J\nb.png"#
    #expect(try streams.text("err") == "warning: \(shown)\n")
    #expect(try streams.entries == ["warning \(shown)"])
  }

  /// A group that shares a run goes on with it.
  @Test func theFileFollowsTheUmask() throws {
    let streams = try Streams()
    let mask = umask(0o002)
    defer { umask(mask) }
    try streams.log().open(streams.path("log.txt"))
    let file = try FileManager.default.attributesOfItem(atPath: streams.path("log.txt"))
    #expect(file[.posixPermissions] as? Int == 0o664)
  }

  @Test func aSharedWarningIsSaidOnce() throws {
    let streams = try Streams()
    let log = streams.log()
    try log.sharedWarning("odd", over: SingleCommunicator())
    try log.sharedWarning(nil, over: SingleCommunicator())
    #expect(try streams.text("err") == "warning: odd\n")
  }

  @Test func aFileThatCannotBeOpened() throws {
    let streams = try Streams()
    let path = streams.path("nowhere/log.txt")
    #expect(throws: RunLogError.cannotOpen(path: path, reason: "No such file or directory")) {
      try streams.log().open(path)
    }
  }

  @Test func aFullDiskEndsTheFileNotTheRun() throws {
    let streams = try Streams()
    let log = streams.log()
    try log.open("/dev/full")
    log.info("one")
    log.info("two")
    #expect(try streams.text("out") == "one\ntwo\n")
    let errors = try streams.text("err")
    #expect(
      errors == "warning: log.txt cannot be written (No space left on device):"
        + " no further lines are added to it\n")
  }
}

@Suite("Figures as people read them")
struct LogDisplayTests {
  @Test(arguments: [
    (0, "0"), (999, "999"), (1_000, "1k"), (1_234, "1.2k"), (47_512, "47.5k"), (999_600, "1M"),
    (1_200_000, "1.2M"), (200_000_000, "200M"), (123_456_789, "123M"),
  ])
  func counts(value: Int, text: String) { #expect(Format.count(value) == text) }

  @Test(arguments: [
    (0.0, "0 s"), (59.4, "59 s"), (185, "3 min 05 s"), (3_720, "1 h 02 min"), (86_400, "1 d 00 h"),
    (198_000, "2 d 07 h"), (-5, "0 s"), (.infinity, "unknown"), (.nan, "unknown"),
  ])
  func durations(seconds: Double, text: String) { #expect(Format.duration(seconds) == text) }

  @Test(arguments: [(0.82, "0.82/s"), (47.5, "47.5/s"), (5_312, "5.3k/s"), (.nan, "0/s")])
  func rates(rate: Double, text: String) { #expect(Format.rate(rate) == text) }

  @Test(arguments: [(512, "512 B"), (1_536, "1.5 KiB"), (3 << 30, "3 GiB")])
  func bytes(count: Int, text: String) { #expect(Format.bytes(count) == text) }

  @Test func progressTellsRateAndTimeLeft() throws {
    var line = ProgressLine("train", of: 10_000, from: 2_000, startedAt: 100)
    let first = line.update(done: 2_500, at: 105, onTerminal: true, detail: "loss 0.41")
    #expect(first == "train  2.5k / 10k images (25.0 %)  100/s  1 min 15 s left  loss 0.41")
  }

  /// A line that wraps cannot be overwritten.
  @Test(arguments: [
    (72, "train  2.5k / 10k images (25.0 %)  100/s  1 min 15 s left  loss 0.41"),
    (66, "train  2.5k / 10k images (25.0 %)  100/s  1 min 15 s left"),
    (42, "train  2.5k / 10k images (25.0 %)  100/s"), (33, "train  2.5k / 10k images (25.0 %)"),
    (10, "train  2.5"), (1, "t"),
  ])
  func progressFitsTheTerminal(columns: Int, text: String) {
    var line = ProgressLine("train", of: 10_000, from: 2_000, startedAt: 100)
    let shown = line.update(
      done: 2_500, at: 105, onTerminal: true, detail: "loss 0.41", columns: columns)
    #expect(shown == text && text.count <= columns)
  }

  @Test func progressKeepsItsIntervals() {
    var terminal = ProgressLine("x", of: 100, startedAt: 0)
    #expect(terminal.update(done: 1, at: 0.1, onTerminal: true) == nil)
    #expect(terminal.update(done: 2, at: 0.25, onTerminal: true) != nil)
    #expect(terminal.update(done: 3, at: 0.3, onTerminal: true) == nil)
    var plain = ProgressLine("x", of: 100, startedAt: 0)
    #expect(plain.update(done: 1, at: 29, onTerminal: false) == nil)
    #expect(plain.update(done: 2, at: 30, onTerminal: false) != nil)
    #expect(plain.update(done: 3, at: 31, onTerminal: false) == nil)
    #expect(plain.update(done: 100, at: 32, onTerminal: false) != nil)
  }

  @Test func theRateFollowsAMachineThatSlowsDown() throws {
    var line = ProgressLine("x", of: 1_000_000, startedAt: 0)
    var text: String?
    for second in 1...100 {
      text = line.update(done: second * 1_000, at: Double(second), onTerminal: true)
    }
    #expect(try #require(text).contains("1k/s"))
    for second in 1...60 {
      text = line.update(done: 100_000 + second * 10, at: 100 + Double(second), onTerminal: true)
    }
    #expect(try #require(text).contains("  10/s"))
  }
}
