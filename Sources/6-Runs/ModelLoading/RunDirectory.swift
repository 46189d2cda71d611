import Checkpoints
import Foundation
import SystemSupport

/// The files of a run. Only the first rank writes outside `checkpoints`.
package struct RunDirectory {
  package let path: String

  package init(path: String) {
    self.path = path
  }

  package var url: URL { URL(fileURLWithPath: path) }
  package var checkpoints: CheckpointStore {
    CheckpointStore(directory: url.appendingPathComponent("checkpoints"))
  }
  package var config: String { "\(path)/config.yaml" }
  package var log: String { "\(path)/log.txt" }
  package var stats: URL { url.appendingPathComponent("stats.jsonl") }
  /// Why the run stopped before its end, for whoever starts it again.
  package var stopped: String { "\(path)/STOPPED" }

  /// The checkpoint with the best value of `metrics.best`.
  package var best: String { "\(path)/best.json" }
  /// What samples are compared with, kept because it takes long to make.
  package var references: String { "\(path)/metrics" }

  package func samples(images: Int, kind: String) -> String {
    "\(path)/samples/\(CheckpointStore.name(images: images))-\(kind).png"
  }

  /// Makes the directories and takes the run's lock, held as long as the result lives.
  package func claim() throws -> RunLock {
    try FileOutput.makeFolder(path)
    let lock = try RunLock(directory: url)
    try FileOutput.makeFolder("\(path)/samples")
    return lock
  }

  package func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: path) }

  package func write(_ text: String, to path: String) throws {
    try AtomicFile.write(Array(text.utf8), to: path, durable: true)
  }
}

extension CheckpointReader {
  /// Whether `path` is, or should be, a checkpoint or a run, rather than images.
  package static func isCheckpointOrRun(_ path: String) -> Bool {
    func isThere(_ name: String) -> Bool {
      FileManager.default.fileExists(atPath: "\(path)/\(name)")
    }
    return isThere("manifest.json") || isThere("checkpoints")
      || URL(fileURLWithPath: path).lastPathComponent.wholeMatch(of: /images-\d{12}/) != nil
  }

  /// The checkpoint at `path`, or the newest good one of the run there, verified.
  package static func find(_ path: String) throws -> (
    reader: CheckpointReader, passedOver: [CheckpointStore.PassedOver]
  ) {
    let url = URL(fileURLWithPath: path)
    if FileManager.default.fileExists(atPath: path), !FileOutput.isFolder(path) {
      throw ModelError.notACheckpoint(path: path)
    }
    if FileManager.default.fileExists(atPath: url.appendingPathComponent("manifest.json").path)
      || url.lastPathComponent.hasPrefix("images-")
    {
      return (try CheckpointReader(url, verifying: true), [])
    }
    guard let found = try RunDirectory(path: path).checkpoints.newestGood() else {
      throw ModelError.notACheckpoint(path: path)
    }
    return (found.checkpoint, found.passedOver)
  }
}
