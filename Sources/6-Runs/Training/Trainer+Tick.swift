import Evaluation
import Foundation
import Optimization
import Reporting
import SystemSupport

extension Trainer {
  /// The figures of the time since the last tick, over all ranks. Collective.
  ///
  /// - Parameters:
  ///   - seconds: time since the last tick.
  ///   - images: images in that time, over all ranks.
  ///   - datasetCount: images per epoch.
  func tick(seconds: Double, images: Int, datasetCount: Int) throws -> StatsRow {
    let phases = lap()
    let steps = max(images / configuration.train.batch, 1)
    let spread = try rankSpread(of: phases, steps: steps)
    let peak = try communicator.reduce(Double(peakMemoryBytes()), .max)
    let losses = try losses()
    statistics.beginTick()
    return StatsRow(
      time: WallClock.utc(), images: imagesSeen, epoch: Double(imagesSeen) / Double(datasetCount),
      loss: losses.mean, lossByNoiseLevel: losses.byNoiseLevel, terms: losses.terms,
      lr: statistics.learningRate, gradNorm: statistics.gradientNorm,
      imagesPerSecond: Double(images) / max(seconds, 1e-9), seconds: phases,
      rankSpread: spread.min > 0 ? spread.max / spread.min - 1 : 0, rankStepSeconds: spread,
      peakRSS: Int(peak), skipped: skippedUpdates)
  }

  /// Seconds of each phase since the last call.
  package func lap() -> PhaseSeconds { clock.lap(sums: communicationLap()) }

  private func communicationLap() -> (hidden: Double, exposed: Double) {
    states.map { $0.reducer.lap() }.reduce((0, 0)) { ($0.0 + $1.hidden, $0.1 + $1.exposed) }
  }

  /// The tick's losses, over all shards of all ranks. They are added up in a tree, so that where
  /// shards are canonical the sums are the same on any number of ranks.
  private func losses() throws -> LossTotals {
    let shards = try communicator.gatherNumbers(statistics.shards.flatMap(\.self))
    let width = statistics.shards[0].count
    let totals = (0..<width).map { column in
      treeSum(stride(from: column, to: shards.count, by: width).map { shards[$0] })
    }
    return LossTotals(task.columns, totals)
  }

  /// The ranks' working times per step, without the time in which they wait for others.
  private func rankSpread(of phases: PhaseSeconds, steps: Int) throws -> RankStepSeconds {
    let mine = [phases.data, phases.forward, phases.backward, phases.optimizer]
    let names = ["data", "forward", "backward", "optimizer"]
    let all = try communicator.gatherNumbers(mine)
    let ranks = stride(from: 0, to: all.count, by: mine.count)
      .map { Array(all[$0..<$0 + mine.count]) }
    return RankStepSeconds(ofPhases: ranks, names: names, steps: steps)
  }
}

extension RankStepSeconds {
  /// - Parameters:
  ///   - ranks: the seconds of each phase, by rank.
  ///   - names: of the phases.
  ///   - steps: number of steps that the seconds cover.
  package init(ofPhases ranks: [[Double]], names: [String], steps: Int) {
    let times = ranks.map { $0.reduce(0, +) / Double(steps) }
    let slowest = times.indices.max { times[$0] < times[$1] } ?? 0
    let lost = names.indices.map { phase in
      ranks[slowest][phase] - TimingSummary(of: ranks.map { $0[phase] }).median
    }
    let phase = lost.indices.max { lost[$0] < lost[$1] } ?? 0
    let spread = TimingSummary(of: times)
    self.init(
      min: spread.min, median: spread.median, max: spread.max, slowest: slowest,
      slowestPhase: names[phase])
  }
}
