import Collectives
import CommandSupport
import Datasets
import FileFormats
import Foundation
import Images
import ModelLoading
import SystemSupport
import TensorCore

/// Writes grids of previews, with the weights themselves and with each moving average. All ranks
/// make them.
final class PreviewAction: PeriodicAction {
  private let trainer: Trainer
  private let data: TrainingData
  private let directory: RunDirectory
  private let log: RunLog
  private var sampledAt: Int?
  /// What an autoencoder's previews start from.
  private lazy var images = data.previewImages(trainer.configuration)

  var every: Int { trainer.configuration.sample.every }

  /// Collective.
  ///
  /// - Parameter isResumed: whether grids of this moment may exist already.
  init(
    _ trainer: Trainer, of data: TrainingData, in directory: RunDirectory, log: RunLog,
    isResumed: Bool
  ) throws {
    (self.trainer, self.data, self.directory, self.log) = (trainer, data, directory, log)
    guard isResumed else { return }
    let kinds = ["raw"] + trainer.model.averages.map(\.name)
    let exist = kinds.allSatisfy {
      FileManager.default.fileExists(
        atPath: directory.samples(images: trainer.imagesSeen, kind: $0))
    }
    if try trainer.communicator.allRanks(exist) { sampledAt = trainer.imagesSeen }
  }

  func run() throws {
    guard sampledAt != trainer.imagesSeen, trainer.configuration.sample.count > 0,
      trainer.task.hasPreviews
    else { return }
    trainer.communicator.activity.enter(.sampling)
    let start = MonotonicClock.now
    var paths = [try writeGrid(kind: "raw", weights: trainer.parameters.weights)]
    for average in trainer.model.averages {
      paths.append(try writeGrid(kind: average.name, weights: trainer.model.values(of: average)))
    }
    sampledAt = trainer.imagesSeen
    trainer.context.memory.trim()  // sampling has tensors of other sizes than training
    log.info(
      "samples: \(paths.joined(separator: ", ")) in"
        + " \(String(format: "%.1f", MonotonicClock.now - start)) s")
  }

  /// - Returns: the grid's path.
  private func writeGrid(kind: String, weights: Tensor) throws -> String {
    let (communicator, settings) = (trainer.communicator, trainer.configuration.sample)
    let own = communicator.share(of: settings.count)
    let previews = try communicator.agree {
      try trainer.parameters.withWeights(weights) {
        try trainer.task.previews(own, settings, of: images, on: trainer.context)
      }
    }
    if let fault = trainer.task.takePreviewFault() {
      log.warning("the grid of \(kind) is not what it should be: \(fault)")
    }
    let pixels = try communicator.gather(values: previews.flatMap(\.pixels))
    let path = directory.samples(images: trainer.imagesSeen, kind: kind)
    try communicator.agree {
      guard communicator.rank == 0 else { return }
      let side = trainer.task.previewSide
      try ImageGrid.writePNG(pixels, height: side, width: side, to: path)
    }
    return path
  }
}
