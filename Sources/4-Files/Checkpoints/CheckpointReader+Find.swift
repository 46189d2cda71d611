import Foundation
import SystemSupport

extension CheckpointStore {
  /// The name of the folder of a run that holds its checkpoints.
  static let folderName = "checkpoints"

  /// The checkpoints of the run in a directory: those in its folder `checkpoints`.
  package init(run directory: URL) {
    self.init(directory: directory.appendingPathComponent(Self.folderName))
  }
}

extension CheckpointReader {
  /// Whether `path` is, or should be, a checkpoint or a run, rather than a folder of images.
  package static func isCheckpointOrRun(_ path: String) -> Bool {
    func holds(_ name: String) -> Bool {
      FileManager.default.fileExists(atPath: "\(path)/\(name)")
    }
    return holds("manifest.json") || holds(CheckpointStore.folderName)
      || URL(fileURLWithPath: path).lastPathComponent.wholeMatch(of: /images-\d{12}/) != nil
  }

  /// The checkpoint at `path`, or the newest good checkpoint of the run there, with its checksums
  /// verified.
  ///
  /// - Returns: the checkpoint, and the newer ones that were passed over because they are damaged.
  /// - Throws: `CheckpointError.notACheckpoint` where there is none; other errors where the
  ///   checkpoint, or every checkpoint of the run, is damaged.
  package static func find(_ path: String) throws -> (
    reader: CheckpointReader, passedOver: [CheckpointStore.PassedOver]
  ) {
    let url = URL(fileURLWithPath: path)
    if FileManager.default.fileExists(atPath: path), !FileOutput.isFolder(path) {
      throw CheckpointError.notACheckpoint(path: path)
    }
    if FileManager.default.fileExists(atPath: url.appendingPathComponent("manifest.json").path)
      || url.lastPathComponent.hasPrefix("images-")
    {
      return (try CheckpointReader(url, verifying: true), [])
    }
    guard let found = try CheckpointStore(run: url).newestGood() else {
      throw CheckpointError.notACheckpoint(path: path)
    }
    return (found.checkpoint, found.passedOver)
  }
}
