import TensorCore

/// The losses of one rank's images since the last tick.
package struct LossAccumulator {
  /// How losses are broken down.
  package let columns: LossBreakdown
  /// One row per canonical shard of this rank: the sum of each column, then the number of its
  /// entries.
  package private(set) var shards: [[Double]]
  /// The learning rate of the last step.
  package private(set) var learningRate = 0.0
  /// The norm of the last step's gradient, before clipping.
  package private(set) var gradientNorm = 0.0
  /// Whether all losses of the last step are finite.
  package private(set) var lastStepIsFinite = true
  /// Mean loss of this rank's images of the last step.
  package private(set) var latest = 0.0
  private var stepSum = 0.0
  private var stepCount = 0

  /// Starts with empty sums.
  package init(shards: Int, columns: LossBreakdown) {
    let empty = [Double](repeating: 0, count: 2 * columns.count)
    self.columns = columns
    self.shards = [[Double]](repeating: empty, count: shards)
  }

  /// Adds losses at their noise levels, one per image.
  package mutating func note(_ losses: [Double], sigma: [Double], shard: Int) {
    for (loss, sigma) in zip(losses, sigma) { add(loss, LossBreakdown.level(of: sigma), shard) }
    noteLosses(losses)
  }

  /// Adds losses and their terms, one per image.
  ///
  /// - Parameter terms: the terms by name; a name that is missing gets no entry.
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

  /// Notes the update that ends a step.
  package mutating func noteUpdate(learningRate: Double, gradientNorm: Double) {
    (self.learningRate, self.gradientNorm) = (learningRate, gradientNorm)
    (stepSum, stepCount) = (0, 0)
  }

  /// Sets the sums of the tick to 0; the state of the step stays.
  package mutating func beginTick() {
    self.shards = shards.map { $0.map { _ in 0 } }
  }
}
