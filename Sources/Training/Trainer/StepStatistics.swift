import TensorCore

/// What one rank saw since the last tick.
package struct StepStatistics {
  let columns: LossColumns
  /// By canonical shard of this rank: the sums of each column, then how many entries it has.
  private(set) var shards: [[Double]]
  private(set) var learningRate = 0.0
  private(set) var gradientNorm = 0.0
  private(set) var lastStepIsFinite = true
  /// Mean loss of this rank's images of the last step.
  package private(set) var latest = 0.0
  private var stepSum = 0.0
  private var stepCount = 0

  init(shards: Int, columns: LossColumns) {
    let empty = [Double](repeating: 0, count: 2 * columns.count)
    self.columns = columns
    self.shards = [[Double]](repeating: empty, count: shards)
  }

  /// Each image's loss at its noise level.
  mutating func note(_ losses: [Double], sigma: [Double], shard: Int) {
    for (loss, sigma) in zip(losses, sigma) { add(loss, LossColumns.level(of: sigma), shard) }
    noteLosses(losses)
  }

  /// Each image's loss, and what it is made of.
  ///
  /// - Parameter terms: by name; names that are not given have no entry.
  mutating func note(_ losses: [Double], terms: [String: [Double]], shard: Int) {
    for (name, values) in terms {
      guard let column = columns.names.firstIndex(of: name) else {
        preconditionFailure("StepStatistics: the loss has no term \(name)")
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

  mutating func noteUpdate(learningRate: Double, gradientNorm: Double) {
    (self.learningRate, self.gradientNorm) = (learningRate, gradientNorm)
    (stepSum, stepCount) = (0, 0)
  }

  /// Forgets the tick, not the state of the step.
  mutating func beginTick() {
    self.shards = shards.map { $0.map { _ in 0 } }
  }
}

/// What the losses of a run are told apart by.
enum LossColumns: Equatable, Sendable {
  case noiseLevels
  /// The parts of a loss, by name.
  case terms([String])

  /// Upper ends of the noise levels; the last level is open.
  static let levels: [Double] = [0.03, 0.1, 0.3, 1, 3, 10]

  static func level(of sigma: Double) -> Int {
    levels.firstIndex { sigma < $0 } ?? levels.count
  }

  var names: [String] {
    if case .terms(let names) = self { names } else { [] }
  }

  /// A column a noise level; or a column a term, and one for the whole.
  var count: Int {
    switch self {
    case .noiseLevels: Self.levels.count + 1
    case .terms(let names): names.count + 1
    }
  }
}

/// Losses of all ranks, added up.
struct LossSums {
  private let columns: LossColumns
  private let sums: [Double]
  private let counts: [Double]

  /// - Parameter totals: the sum of each column, then how many entries it has.
  init(_ columns: LossColumns, _ totals: [Double]) {
    self.columns = columns
    sums = Array(totals.prefix(columns.count))
    counts = Array(totals.suffix(columns.count))
  }

  /// Of all images.
  var mean: Double {
    let whole = columns == .noiseLevels ? 0..<columns.count : columns.count - 1..<columns.count
    return sums[whole].reduce(0, +) / counts[whole].reduce(0, +)
  }

  var byNoiseLevel: [NoiseLevelLoss] {
    guard columns == .noiseLevels else { return [] }
    let levels = LossColumns.levels
    return counts.indices.map { level in
      NoiseLevelLoss(
        sigmaMin: level == 0 ? 0 : levels[level - 1],
        sigmaMax: level == levels.count ? .infinity : levels[level], images: Int(counts[level]),
        loss: counts[level] > 0 ? sums[level] / counts[level] : .nan)
    }
  }

  /// Means by name, where there were entries; nil where losses have no terms.
  var terms: [String: Double]? {
    guard columns != .noiseLevels else { return nil }
    return columns.names.enumerated().reduce(into: [:]) { means, term in
      if counts[term.offset] > 0 { means[term.element] = sums[term.offset] / counts[term.offset] }
    }
  }
}
