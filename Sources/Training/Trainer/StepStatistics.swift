import TensorCore

/// What one rank saw since the last tick.
package struct StepStatistics {
  /// Upper ends of the noise levels that losses are told apart by; the last is open.
  static let levels: [Double] = [0.03, 0.1, 0.3, 1, 3, 10]

  /// By canonical shard of this rank: the sums of losses by noise level, then the numbers of images.
  private(set) var shards: [[Double]]
  private(set) var learningRate = 0.0
  private(set) var gradientNorm = 0.0
  private(set) var lastStepIsFinite = true
  /// Mean loss of this rank's images of the last step.
  package private(set) var latest = 0.0
  private var stepSum = 0.0
  private var stepCount = 0

  init(shards: Int) {
    let empty = [Double](repeating: 0, count: 2 * (Self.levels.count + 1))
    self.shards = [[Double]](repeating: empty, count: shards)
  }

  /// Each image's loss at its noise level.
  mutating func note(_ losses: [Double], sigma: [Double], shard: Int) {
    for (loss, sigma) in zip(losses, sigma) {
      let level = Self.levels.firstIndex { sigma < $0 } ?? Self.levels.count
      shards[shard][level] += loss
      shards[shard][Self.levels.count + 1 + level] += 1
      stepSum += loss
      stepCount += 1
    }
    latest = stepCount > 0 ? stepSum / Double(stepCount) : 0
    lastStepIsFinite = stepSum.isFinite
  }

  mutating func noteUpdate(learningRate: Double, gradientNorm: Double) {
    (self.learningRate, self.gradientNorm) = (learningRate, gradientNorm)
    (stepSum, stepCount) = (0, 0)
  }

  /// Forgets the tick, not the state of the step.
  mutating func beginTick() {
    self.shards = shards.map { $0.map { _ in 0 } }
  }

  /// The losses of all ranks by noise level, from the sums and counts added up over them.
  static func byNoiseLevel(sums: [Double], counts: [Double]) -> [NoiseLevelLoss] {
    counts.indices.map { level in
      NoiseLevelLoss(
        sigmaMin: level == 0 ? 0 : levels[level - 1],
        sigmaMax: level == levels.count ? .infinity : levels[level], images: Int(counts[level]),
        loss: counts[level] > 0 ? sums[level] / counts[level] : .nan)
    }
  }
}
