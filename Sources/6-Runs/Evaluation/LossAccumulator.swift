import TensorCore

/// What one rank saw since the last tick.
package struct LossAccumulator {
  package let columns: LossBreakdown
  /// By canonical shard of this rank: the sums of each column, then how many entries it has.
  package private(set) var shards: [[Double]]
  package private(set) var learningRate = 0.0
  package private(set) var gradientNorm = 0.0
  package private(set) var lastStepIsFinite = true
  /// Mean loss of this rank's images of the last step.
  package private(set) var latest = 0.0
  private var stepSum = 0.0
  private var stepCount = 0

  package init(shards: Int, columns: LossBreakdown) {
    let empty = [Double](repeating: 0, count: 2 * columns.count)
    self.columns = columns
    self.shards = [[Double]](repeating: empty, count: shards)
  }

  /// Each image's loss at its noise level.
  package mutating func note(_ losses: [Double], sigma: [Double], shard: Int) {
    for (loss, sigma) in zip(losses, sigma) { add(loss, LossBreakdown.level(of: sigma), shard) }
    noteLosses(losses)
  }

  /// Each image's loss, and what it is made of.
  ///
  /// - Parameter terms: by name; names that are not given have no entry.
  package mutating func note(_ losses: [Double], terms: [String: [Double]], shard: Int) {
    for (name, values) in terms {
      guard let column = columns.names.firstIndex(of: name) else {
        preconditionFailure("LossAccumulator: the loss has no term \(name)")
      }
      for value in values { add(value, column, shard) }
    }
    for loss in losses { add(loss, columns.count - 1, shard) }
    noteLosses(losses)
  }

  private mutating func add(_ value: Double, _ column: Int, _ shard: Int) {
    shards[shard][column] += value
    shards[shard][columns.count + column] += 1
  }

  private mutating func noteLosses(_ losses: [Double]) {
    for loss in losses { stepSum += loss }
    stepCount += losses.count
    latest = stepCount > 0 ? stepSum / Double(stepCount) : 0
    lastStepIsFinite = stepSum.isFinite
  }

  package mutating func noteUpdate(learningRate: Double, gradientNorm: Double) {
    (self.learningRate, self.gradientNorm) = (learningRate, gradientNorm)
    (stepSum, stepCount) = (0, 0)
  }

  /// Forgets the tick, not the state of the step.
  package mutating func beginTick() {
    self.shards = shards.map { $0.map { _ in 0 } }
  }
}
