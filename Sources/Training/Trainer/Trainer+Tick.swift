import Collectives
import Foundation

extension Trainer {
  /// The figures of the time since the last tick, over all ranks. Collective.
  ///
  /// - Parameters:
  ///   - seconds: since the last tick.
  ///   - images: in that time, over all ranks.
  ///   - datasetCount: images of an epoch.
  func tick(seconds: Double, images: Int, datasetCount: Int) throws -> TickStatistics {
    let phases = clock.lap()
    let own = phases.data + phases.forward + phases.backward + phases.optimizer
    let totals = try communicator.sum(statistics.sums + statistics.counts)
    let slowest = try communicator.reduce([own, Double(peakResidentBytes())], .max)
    let fastest = try communicator.reduce(own, .min)
    let sums = Array(totals.prefix(totals.count / 2))
    let counts = Array(totals.suffix(totals.count / 2))
    statistics.beginTick()
    return TickStatistics(
      images: imagesSeen, epoch: Double(imagesSeen) / Double(datasetCount),
      loss: sums.reduce(0, +) / counts.reduce(0, +),
      lossByNoiseLevel: StepStatistics.byNoiseLevel(sums: sums, counts: counts),
      lr: statistics.learningRate, gradNorm: statistics.gradientNorm,
      imagesPerSecond: Double(images) / max(seconds, 1e-9), seconds: phases,
      rankSpread: fastest > 0 ? slowest[0] / fastest - 1 : 0, peakRSS: Int(slowest[1]),
      skipped: skippedUpdates)
  }
}

/// Most memory this process ever held (`getrusage`), in bytes.
func peakResidentBytes() -> Int {
  var usage = rusage()
  return getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 ? usage.ru_maxrss * 1024 : 0
}
