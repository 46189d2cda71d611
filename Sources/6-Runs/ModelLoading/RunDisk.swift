import Configuration
import SystemSupport

/// How much room a run's directory takes at most.
package struct RunDisk: Equatable, Sendable {
  /// Bytes of a checkpoint: weights, both moments and the averages, in f32.
  package let checkpointBytes: Int
  /// The most checkpoints that are there at a time, one that is being written included.
  package let checkpoints: Int
  /// Bytes of all grids of samples, where PNG compresses nothing.
  package let gridBytes: Int
  /// Bytes of `stats.jsonl` and `log.txt`, roughly.
  package let textBytes: Int

  /// Bytes per row of `stats.jsonl` with its line of `log.txt`, roughly.
  private static let rowBytes = 1_200

  /// - Parameter elements: of a flat vector of all parameters.
  package init(_ configuration: Configuration, elements: Int) {
    let images = configuration.train.images
    func times(_ every: Int) -> Int { every > 0 ? (images - 1) / every + 1 : 0 }
    let settings = configuration.checkpoint
    checkpointBytes = 4 * elements * (3 + configuration.ema.count)
    let all = max(times(settings.every), 1)
    let forEver = settings.keepEvery > 0 ? all / settings.keepEvery : 0
    let best = configuration.metrics.every > 0 && !configuration.metrics.best.isEmpty ? 1 : 0
    checkpoints = settings.keep > 0 ? min(all, settings.keep + 1 + forEver + best) : all
    let side =
      configuration.model.kind == .latent
      ? 8 * configuration.model.resolution : configuration.model.resolution
    let grids = times(configuration.sample.every) * (1 + configuration.ema.count)
    gridBytes = grids * configuration.sample.count * 3 * side * side
    let rows = max(times(configuration.log.every), 1) + times(configuration.metrics.every)
    textBytes = rows * Self.rowBytes
  }

  /// Bytes of everything together.
  package var totalBytes: Int { checkpoints * checkpointBytes + gridBytes + textBytes }

  /// For people, in one line.
  package var summary: String {
    "\(Format.bytes(totalBytes)) at most: \(Format.quantity(checkpoints, "checkpoint")) of"
      + " \(Format.bytes(checkpointBytes)), \(Format.bytes(gridBytes)) of grids,"
      + " \(Format.bytes(textBytes)) of statistics and log"
  }
}
