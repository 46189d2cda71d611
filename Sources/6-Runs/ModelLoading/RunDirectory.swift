import Checkpoints
import Foundation
import SystemSupport

/// The names of the files of a run. Only the first rank writes outside `checkpoints`.
package struct RunDirectory {
  /// The run's directory, `runs/cifar10`.
  package let path: String

  /// Names the files of the run at `path`; nothing is read or written.
  package init(path: String) {
    self.path = path
  }

  /// The run that a file is the `config.yaml` of; nil where the file lies in no run's directory.
  package init?(ownerOf config: String) {
    let slash = config.lastIndex(of: "/")
    let folder = slash.map { $0 == config.startIndex ? "/" : String(config[..<$0]) }
    self.init(path: folder ?? ".")
    // The lock's file stays; a run that died early has no checkpoints.
    let lock = "\(path)/\(RunLock.fileName)"
    guard Files.name(config) == "config.yaml",
      FileOutput.isFolder(checkpoints.directory.path)
        || FileManager.default.fileExists(atPath: lock)
    else { return nil }
  }

  /// The run's directory as a URL.
  package var url: URL { URL(fileURLWithPath: path) }
  /// `RUN/checkpoints`, one folder per checkpoint.
  package var checkpoints: CheckpointStore { CheckpointStore(run: url) }
  /// `RUN/averages`, snapshots of power-function averages.
  package var averages: AverageSnapshots { AverageSnapshots(run: url) }
  /// The settings of the run, as YAML.
  package var config: String { "\(path)/config.yaml" }
  /// The messages of all starts of the run.
  package var log: String { "\(path)/log.txt" }
  /// The run's figures, one JSON object per line.
  package var stats: URL { url.appendingPathComponent("stats.jsonl") }
  /// When and how the run was started and ended: `RunEvent`s, one JSON object per line.
  package var starts: URL { url.appendingPathComponent("starts.jsonl") }
  /// Why the run stopped before its end, as JSON, for whoever starts it again.
  package var stopped: String { "\(path)/STOPPED" }

  /// Names the checkpoint with the best value of `metrics.best`.
  package var best: String { "\(path)/best.json" }
  /// Folder of statistics that samples are compared with, kept because they take long to make.
  package var references: String { "\(path)/metrics" }

  /// The page that shows the run's course.
  package var report: String { "\(path)/report.html" }
  /// Figures for Prometheus.
  package var openMetrics: String { "\(path)/metrics.prom" }
  /// Folder of TensorBoard's event files.
  package var tensorBoard: String { "\(path)/tensorboard" }

  /// The PNG file of a grid.
  ///
  /// - Parameters:
  ///   - images: images that the network had seen.
  ///   - kind: which grid, such as `ema`.
  package func samples(images: Int, kind: String) -> String {
    "\(path)/samples/\(CheckpointStore.name(images: images))-\(kind).png"
  }

  /// Makes the directories and takes the run's lock, which is held as long as the result lives.
  package func claim() throws -> RunLock {
    try FileOutput.makeFolder(path)
    let lock = try RunLock(directory: url)
    try FileOutput.makeFolder("\(path)/samples")
    return lock
  }

  /// Removes a file of the run.
  package func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: path) }

  /// Replaces a file of the run by `text`: the old file or the new one is there at any time.
  package func write(_ text: String, to path: String) throws {
    try AtomicFile.write(Array(text.utf8), to: path, durable: true)
  }
}
