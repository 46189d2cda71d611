import FixtureSupport
import Foundation
import ProcessSupport
import Testing

/// What somebody meets on the first day. One job at a time, because every job takes all cores.
@Suite("A stranger's first day", .serialized) enum FirstDayTests {}

/// A folder in which the program is run, gone with the test.
final class Scene {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func path(_ name: String) -> String { "\(folder.path)/\(name)" }
  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }
  func data(_ name: String) throws -> Data { try Data(contentsOf: folder.file(name)) }
  func text(_ name: String) throws -> String { String(decoding: try data(name), as: UTF8.self) }

  /// A JSON file.
  func json(_ name: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: data(name)) as? [String: Any])
  }

  /// The rows of a file with a JSON object per line.
  func rows(_ name: String) throws -> [[String: Any]] {
    try text(name).split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  /// A line of the shell, run in the folder; `$diffit` is the program and `$config` a small run's
  /// configuration.
  func command(_ line: String) throws -> Command {
    var command = Command(["sh", "-c", "cd \"$folder\" && \(line)"])
    command.environment = [
      "diffit": try Command.product("diffit"), "folder": folder.path,
      "config": Repository.path("configs/debug.yaml"), "root": Repository.root,
      "mpirun": "mpirun --quiet --oversubscribe --bind-to none",
    ]
    command.seconds = 120
    return command
  }

  /// Runs a line of the shell.
  func run(_ line: String) throws -> Outcome { try command(line).run() }

  /// Runs a line of the shell and expects that it ends with 0.
  @discardableResult
  func good(_ line: String, at location: SourceLocation = #_sourceLocation) throws -> Outcome {
    let outcome = try run(line)
    try #require(outcome.code == 0, "\(line): \(outcome)", sourceLocation: location)
    return outcome
  }

  /// Expects one line of complaint with these parts, and an exit code.
  func refused(
    _ code: Int32, _ line: String, _ parts: String...,
    at location: SourceLocation = #_sourceLocation
  ) throws {
    let outcome = try run(line)
    #expect(outcome.code == code, "\(line): \(outcome)", sourceLocation: location)
    #expect(outcome.complaints.count == 1, "\(line): \(outcome)", sourceLocation: location)
    for part in parts {
      #expect(
        outcome.errors.contains(part), "\"\(part)\" is not in: \(outcome.errors)",
        sourceLocation: location)
    }
  }
}

extension Scene {
  /// Settings of a run of four steps of 16 images.
  static let small =
    "--set train.images=64 --set train.batch=16 --set log.every=16 --set sample.every=0"

  /// Trains the small run in `run`.
  func train(_ more: String = "") throws {
    try good("\"$diffit\" train --config \"$config\" --run run \(Self.small) \(more)")
  }
}
