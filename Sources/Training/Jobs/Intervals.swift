import Checkpoints
import Collectives
import Datasets
import Diffusion
import Foundation
import TensorCore

/// What happens beside the steps of a run: ticks, checkpoints and sample grids.
final class Intervals {
  private let run: TrainRun
  private let trainer: Trainer
  private let stats: StatsFile?
  private var tickedAt: (images: Int, time: Double)
  private let startedAt: Int
  private var hasSaved = false
  private var savedAt: Int?
  private var sampledAt: Int?

  private var configuration: Configuration { run.configuration }
  private var communicator: any Communicator { run.communicator }

  /// - Parameter resumed: where the run goes on from; what it has of that moment is not made again.
  init(_ run: TrainRun, _ trainer: Trainer, resumed: CheckpointReader?) throws {
    (self.run, self.trainer) = (run, trainer)
    stats = try run.communicator.agree {
      run.communicator.rank == 0 ? try StatsFile(run.directory.stats) : nil
    }
    tickedAt = (trainer.imagesSeen, PhaseClock.now)
    startedAt = trainer.imagesSeen
    guard let resumed else { return }
    let store = run.directory.checkpoints.directory.standardizedFileURL.path
    if resumed.url.deletingLastPathComponent().standardizedFileURL.path == store {
      savedAt = startedAt
    }
    let kinds = ["raw"] + trainer.averages.map(\.name)
    let isDrawn = kinds.allSatisfy {
      FileManager.default.fileExists(
        atPath: run.directory.samples(images: trainer.imagesSeen, kind: $0))
    }
    if try run.communicator.allRanks(isDrawn) { sampledAt = startedAt }
  }

  var progressDetail: String { "loss \(String(format: "%.4f", trainer.statistics.latest))" }

  /// After a step that began at `before` images: whatever came due.
  func pass(from before: Int) throws {
    if isDue(configuration.log.every, before) { try tick() }
    if isDue(configuration.checkpoint.every, before) { try save() }
    if isDue(configuration.sample.every, before) { try drawGrids() }
  }

  /// After the last step.
  func finish() throws {
    try tick()
    try save()
    if configuration.sample.every > 0 { try drawGrids() }
    guard startedAt < configuration.train.images else {
      return run.log.info(
        "nothing to train: the run has seen \(startedAt) of \(configuration.train.images) images;"
          + " raise train.images to go on")
    }
    run.log.info("done: \(trainer.imagesSeen) images; \(run.directory.path) holds the run")
  }

  /// On request: saves, notes why, and ends the job with exit code 64.
  func stop(reason: String) throws {
    try tick()
    try save()
    try communicator.agree {
      guard communicator.rank == 0 else { return }
      try run.directory.write(
        "{\"reason\": \"\(reason)\", \"images\": \(trainer.imagesSeen)}\n",
        to: run.directory.stopped)
    }
    throw StoppedOnRequest(reason: reason, images: trainer.imagesSeen)
  }

  /// At the first step at or past each multiple of `every`; never where that is 0.
  private func isDue(_ every: Int, _ before: Int) -> Bool {
    every > 0 && before / every != trainer.imagesSeen / every
  }

  private func tick() throws {
    let now = PhaseClock.now
    guard trainer.imagesSeen > tickedAt.images else { return }
    let row = try trainer.tick(
      seconds: now - tickedAt.time, images: trainer.imagesSeen - tickedAt.images,
      datasetCount: run.dataset.count)
    tickedAt = (trainer.imagesSeen, now)
    try communicator.agree { try stats?.append(row) }
    run.log.info(
      "\(Display.count(row.images)) images  loss \(String(format: "%.4f", row.loss))"
        + "  \(Display.rate(row.imagesPerSecond))  lr \(String(format: "%.2e", row.lr))"
        + "  gradient \(String(format: "%.3f", row.gradNorm))"
        + "  memory \(Display.bytes(row.peakRSS))")
  }

  private func save() throws {
    guard savedAt != trainer.imagesSeen else { return }
    let start = PhaseClock.now
    try trainer.save(to: run.directory.checkpoints, facts: run.facts)
    try communicator.agree {
      if communicator.rank == 0 { try removeOld() }
    }
    (hasSaved, savedAt) = (true, trainer.imagesSeen)
    run.log.info(
      "checkpoint: \(CheckpointStore.name(images: trainer.imagesSeen)) in"
        + " \(String(format: "%.1f", PhaseClock.now - start)) s")
    tickedAt.time += PhaseClock.now - start
  }

  /// Removes the checkpoints that are not kept any more. After `--force` from an older checkpoint the
  /// newer ones go, once this branch has one of its own; before the others, of which the newest are kept.
  private func removeOld() throws {
    let store = run.directory.checkpoints
    if case .checkpoint = run.options.resume, run.options.force, !hasSaved {
      for url in try store.removeNewer(than: startedAt, except: trainer.imagesSeen) {
        run.log.info("discarded \(url.path)")
      }
    }
    let settings = configuration.checkpoint
    try store.applyRetention(
      keep: settings.keep, keepEvery: settings.keepEvery * settings.every)
  }

  /// Grids from fixed seeds, with the weights themselves and with each average; all ranks draw.
  private func drawGrids() throws {
    guard sampledAt != trainer.imagesSeen, configuration.sample.count > 0 else { return }
    let start = PhaseClock.now
    var paths = [try drawGrid(kind: "raw", weights: trainer.parameters.weights)]
    for average in trainer.averages {
      paths.append(try drawGrid(kind: average.name, weights: average.values))
    }
    sampledAt = trainer.imagesSeen
    run.engine.memory.trim()  // sampling has sizes of its own
    run.log.info(
      "samples: \(paths.joined(separator: ", ")) in"
        + " \(String(format: "%.1f", PhaseClock.now - start)) s")
    tickedAt.time += PhaseClock.now - start
  }

  private func drawGrid(kind: String, weights: Tensor) throws -> String {
    var heun = HeunSampler()
    heun.steps = configuration.sample.steps
    let sampler = ImageSampler(
      model: trainer.model, edm: trainer.edm, sampler: heun, engine: run.engine)
    let first = UInt64(configuration.sample.seed)
    let seeds = communicator.share(of: configuration.sample.count).map { first + UInt64($0) }
    let own = trainer.parameters.withWeights(weights) { sampler.images(seeds: seeds) }
    let all = try communicator.gather(own)
    let path = run.directory.samples(images: trainer.imagesSeen, kind: kind)
    try communicator.agree {
      guard communicator.rank == 0 else { return }
      try ImageGrid.writePNG(all, side: configuration.model.resolution, to: path)
    }
    return path
  }
}

extension ImageGrid {
  /// A grid for looking at: small images are enlarged.
  static func writePNG(_ images: [Float], side: Int, to path: String) throws(DatasetError) {
    try writePNG(
      images, height: side, width: side, gutter: 1, scale: max(1, 96 / side), to: path)
  }
}
