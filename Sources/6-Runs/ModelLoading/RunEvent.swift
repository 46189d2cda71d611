import CommandSupport
import Foundation
import SystemSupport
import TensorCore

/// One row of `starts.jsonl`: a start of the run, or its end. A start without an end after it was
/// killed, or is running.
package struct RunEvent: Codable, Equatable, Sendable {
  /// What happened.
  package enum Kind: String, Codable, Sendable { case start, end }

  /// Whether the run started or ended.
  package var event: Kind
  /// When, in UTC by ISO 8601.
  package var time: String
  /// Images that the run had seen.
  package var images: Int
  /// The words of the command line, the program's name first; nil at an end, as all that follows
  /// but `outcome`.
  package var command: [String]?
  /// The folder that relative paths of the command start from.
  package var folder: String?
  /// The program, with git's commit.
  package var build: String?
  /// The first rank's host.
  package var host: String?
  /// Number of ranks.
  package var ranks: Int?
  /// Threads per rank.
  package var threads: Int?
  /// Images that a rank runs at once.
  package var microBatch: Int?
  /// How it ended: `done`, or why not, in one line; nil at a start.
  package var outcome: String?

  /// The names in the file.
  package enum CodingKeys: String, CodingKey {
    case event, time, images, command, folder, build, host, ranks, threads, outcome
    case microBatch = "micro_batch"
  }

  /// The present process starts.
  package static func start(
    images: Int, ranks: Int, threads: Int, microBatch: Int, kernels: KernelTable.Level
  ) -> RunEvent {
    RunEvent(
      event: .start, time: WallClock.utc(), images: images, command: ProcessArguments.all,
      folder: FileManager.default.currentDirectoryPath, build: Build.description(kernels: kernels),
      host: Host.name, ranks: ranks, threads: threads, microBatch: microBatch)
  }

  /// The present process ends.
  package static func end(images: Int, outcome: String) -> RunEvent {
    RunEvent(event: .end, time: WallClock.utc(), images: images, outcome: outcome)
  }
}
