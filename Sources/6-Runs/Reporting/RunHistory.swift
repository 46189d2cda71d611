import Checkpoints
import Configuration
import Foundation
import ModelLoading
import SystemSupport

/// What a run's files tell of it so far, read again and again while the run goes on.
///
/// Everything is taken from the run directory: rows of `stats.jsonl`, grids of samples, checkpoints
/// and what `log.txt` says. So a report of a run that trains and of one that ended are the same.
package struct RunHistory {
  /// The run's directory, as it was named.
  package let directory: RunDirectory
  /// Figures of ticks, in order.
  package private(set) var ticks: [RunTick] = []
  /// Results of metrics, in order.
  package private(set) var measurements: [RunMeasurement] = []
  /// Grids of samples, in the order of images seen and then of their kind.
  package private(set) var grids: [RunGrid] = []
  /// Images seen at each complete checkpoint that is there.
  package private(set) var checkpoints: [Int] = []
  /// Beginnings, ends and warnings of the run, in order.
  package private(set) var events: [LogEvent] = []
  /// The lines with which the newest start of the run began: network, data, ranks, machine.
  package private(set) var header: [String] = []
  /// Images that the run is to see, `train.images`; nil where this version cannot read the settings.
  package private(set) var target: Int?
  /// Lines of `stats.jsonl` that are no JSON objects, such as one that a crash cut off.
  package private(set) var tornRows = 0

  /// Bytes of `stats.jsonl` and of `log.txt` that have been read, up to their last whole line.
  private var statsRead = 0
  private var logRead = 0
  private var isInHeader = false

  /// Reads a run's files.
  ///
  /// - Throws: `ReportError.noRun` where `path` is not the directory of a run.
  package init(path: String) throws {
    directory = RunDirectory(path: path)
    guard Files.kindIfPresent(directory.config) == .file else {
      throw ReportError.noRun(path: path, exists: Files.kindIfPresent(path) == .folder)
    }
    try refresh()
  }

  /// The run's name: the last part of its path.
  package var name: String { URL(fileURLWithPath: directory.path).lastPathComponent }

  /// The settings as the run resolved them, as YAML.
  package func settings() throws -> String {
    String(decoding: try InputFile.contents(of: directory.config), as: UTF8.self)
  }

  /// Reads what was added since the last call, and looks for new grids and checkpoints.
  package mutating func refresh() throws {
    try readStats()
    try readLog()
    target = try? Configuration(file: directory.config).train.images
    grids = try RunGrid.all(in: directory)
    checkpoints = try directory.checkpoints.list().map(\.images)
  }

  private mutating func readStats() throws {
    let path = directory.stats.path
    guard let (lines, end, isNew) = try Self.lines(of: path, from: statsRead) else { return }
    if isNew {
      // The run went back to a checkpoint, and its file was written anew.
      (ticks, measurements, tornRows) = ([], [], 0)
    }
    statsRead = end
    for line in lines {
      guard let row = try? JSONSerialization.jsonObject(with: line) as? [String: Any],
        let images = row["images"] as? Int
      else {
        tornRows += 1
        continue
      }
      if let metrics = row["metrics"] as? [String: Any] {
        measurements.append(RunMeasurement(images: images, metrics, row))
      } else {
        ticks.append(RunTick(images: images, row))
      }
    }
  }

  private mutating func readLog() throws {
    guard let (lines, end, isNew) = try Self.lines(of: directory.log, from: logRead) else { return }
    if isNew { (events, header, isInHeader) = ([], [], false) }
    logRead = end
    for line in lines.map({ String(decoding: $0, as: UTF8.self) }) {
      readHeader(line)
      if let event = LogEvent(line: line) { events.append(event) }
    }
  }

  /// A start's header is what the log says before its first tick, without the time.
  private mutating func readHeader(_ line: String) {
    guard let text = LogEvent.text(ofLine: line) else { return }
    if text.contains(" parameters, ") { (header, isInHeader) = ([], true) }
    if isInHeader { header.append(text) }
    if text.hasPrefix("run directory: ") { isInHeader = false }
  }

  /// The whole lines of a file from a place on, and where the last of them ends; nil where there is
  /// no file. A file that became shorter is read from its beginning, and is new.
  private static func lines(
    of path: String, from start: Int
  ) throws -> (lines: [Data], end: Int, isNew: Bool)? {
    guard Files.kindIfPresent(path) == .file else { return nil }
    let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    defer { try? handle.close() }
    let size = Int(try handle.seekToEnd())
    let isNew = size < start
    let start = isNew ? 0 : start
    try handle.seek(toOffset: UInt64(start))
    let bytes = try handle.readToEnd() ?? Data()
    guard let last = bytes.lastIndex(of: UInt8(ascii: "\n")) else { return ([], start, isNew) }
    let whole = bytes[bytes.startIndex...last]
    return (
      whole.split(separator: UInt8(ascii: "\n")).map { Data($0) }, start + whole.count, isNew
    )
  }
}
