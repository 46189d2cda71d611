import TensorCore

/// Timesteps of training images, all alike probable.
public struct UniformTimesteps: Sendable {
  /// T.
  public let steps: Int

  public init(steps: Int) {
    invariant(steps >= 1, "UniformTimesteps: \(steps) steps")
    self.steps = steps
  }

  /// The timestep of the image at `position` of the run, and its loss's weight, 1.
  public func draw(seed: UInt64, position: UInt64) -> (timestep: Int, weight: Double) {
    (RandomStream(seed: seed, .timestep, position: position).index(below: steps, 0), 1)
  }
}

/// Timesteps of training images, those more often whose losses have larger second moments.
///
/// Source: Nichol and Dhariwal, arXiv:2102.09672, section 3.3: p_t in proportion to sqrt(E[L_t^2]) over
/// the last 10 losses of each timestep, mixed with 0.1 % of the uniform distribution; uniform until every
/// timestep has 10. A loss weighs 1 / (T p_t), so that its expectation stays that of uniform timesteps.
///
/// Which losses were recorded, in which order, is all that draws depend on beside seed and position. Ranks
/// that draw alike have recorded the losses of all ranks, in the order of positions.
public struct ImportanceTimesteps: Sendable {
  /// Losses remembered a timestep.
  public static let depth = 10
  /// The uniform distribution's share.
  public static let uniformShare = 0.001

  /// T.
  public let steps: Int
  /// [T][depth], oldest first. f32, so that what is restored from a file is what was saved.
  private var losses: [Float]
  /// Losses remembered of each timestep.
  private var counts: [Int]
  /// p_t of each timestep.
  public private(set) var probabilities: [Double] = []
  /// p_0 + ... + p_t.
  private var cumulative: [Double] = []

  public init(steps: Int) {
    invariant(steps >= 1, "ImportanceTimesteps: \(steps) steps")
    self.steps = steps
    losses = [Float](repeating: 0, count: steps * Self.depth)
    counts = [Int](repeating: 0, count: steps)
    update()
  }

  /// Remembers losses without their weights, in the order given. Losses that are not finite are not
  /// remembered: their update is skipped, and they would end all sampling.
  public mutating func record(timesteps: [Int], losses: [Double]) {
    invariant(
      timesteps.count == losses.count,
      "ImportanceTimesteps: \(timesteps.count) timesteps, \(losses.count) losses")
    for (timestep, loss) in zip(timesteps, losses) where Float(loss).isFinite {
      invariant(
        timestep >= 0 && timestep < steps,
        "ImportanceTimesteps: timestep \(timestep) of \(steps)")
      let start = timestep * Self.depth
      if counts[timestep] == Self.depth {
        for i in start..<start + Self.depth - 1 { self.losses[i] = self.losses[i + 1] }
      } else {
        counts[timestep] += 1
      }
      self.losses[start + counts[timestep] - 1] = Float(loss)
    }
    update()
  }

  /// Whether every timestep has 10 losses, so that draws are not uniform any more.
  public private(set) var isWarm = false

  /// The timestep of the image at `position` of the run, and its loss's weight.
  public func draw(seed: UInt64, position: UInt64) -> (timestep: Int, weight: Double) {
    let target =
      RandomStream(seed: seed, .timestep, position: position).uniform(0) * cumulative[steps - 1]
    var (low, high) = (0, steps - 1)  // the first with cumulative > target
    while low < high {
      let middle = (low + high) / 2
      if cumulative[middle] > target { high = middle } else { low = middle + 1 }
    }
    return (low, isWarm ? 1 / (Double(steps) * probabilities[low]) : 1)
  }

  /// Probabilities of what is remembered.
  private mutating func update() {
    isWarm = counts.allSatisfy { $0 == Self.depth }
    let moments = (0..<steps).map { timestep in
      losses[timestep * Self.depth..<(timestep + 1) * Self.depth].reduce(0) {
        $0 + Double($1) * Double($1)
      }.squareRoot()
    }
    let total = moments.reduce(0, +)
    probabilities = moments.map {
      isWarm && total > 0
        ? (1 - Self.uniformShare) * $0 / total + Self.uniformShare / Double(steps)
        : 1 / Double(steps)
    }
    var sum = 0.0
    cumulative = probabilities.map { p in
      sum += p
      return sum
    }
  }
}

/// Checkpoints.
extension ImportanceTimesteps {
  /// Values that `state` has for T timesteps.
  public static func stateCount(steps: Int) -> Int { steps * (depth + 1) }

  /// All that was recorded: T times 10 losses, oldest first, zeros where there are fewer, and T counts.
  public var state: [Float] { losses + counts.map(Float.init) }

  /// What had the state `state`; nil where it is of another number of timesteps, or no state at all.
  public init?(steps: Int, restoring state: [Float]) {
    self.init(steps: steps)
    guard state.count == Self.stateCount(steps: steps) else { return nil }
    let counts = state.suffix(steps).map { Int(exactly: $0) ?? -1 }
    let losses = Array(state.prefix(steps * Self.depth))
    guard losses.allSatisfy(\.isFinite), counts.allSatisfy({ 0...Self.depth ~= $0 }) else {
      return nil
    }
    (self.losses, self.counts) = (losses, counts)
    update()
  }
}
