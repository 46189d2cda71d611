import Checkpoints
import Collectives
import ModelLoading
import TensorCore

/// Writes snapshots of the power-function averages. Their values come together on all ranks; the
/// first one writes.
final class SnapshotAction: PeriodicAction {
  private let trainer: Trainer
  private let directory: RunDirectory
  var every: Int { trainer.configuration.checkpoint.snapshots }

  init(_ trainer: Trainer, in directory: RunDirectory) {
    (self.trainer, self.directory) = (trainer, directory)
  }

  func run() throws {
    let averages = trainer.model.averages.filter { $0.profile != nil }
    let vectors = try averages.map {
      StateVector(VectorName.ema($0.name), [try trainer.model.values(of: $0)])
    }
    try trainer.communicator.agree {
      guard trainer.communicator.rank == 0 else { return }
      try directory.averages.write(images: trainer.imagesSeen, vectors)
    }
  }
}
