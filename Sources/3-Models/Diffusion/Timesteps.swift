import TensorCore

/// Uniformly distributed timesteps for training images.
public struct UniformTimesteps: Sendable {
  /// T, the number of timesteps.
  public let steps: Int

  /// Timesteps 0..<`steps`.
  public init(steps: Int) {
    invariant(steps >= 1, "UniformTimesteps: \(steps) steps")
    self.steps = steps
  }

  /// The timestep of the image at `position` of the run, and the weight of its loss, which is 1.
  public func draw(seed: UInt64, position: UInt64) -> (timestep: Int, weight: Double) {
    (RandomStream(seed: seed, .timestep, position: position).index(below: steps, 0), 1)
  }
}

/// Importance sampling of timesteps: those whose losses have larger second moments are drawn more
/// often.
///
/// Source: Nichol and Dhariwal, arXiv:2102.09672, section 3.3. The probability p_t is proportional
/// to sqrt(E[L_t^2]) over the last 10 losses of each timestep, mixed with 0.1 % of the uniform
/// distribution. It is uniform until every timestep has 10 losses. A loss has the weight 1 / (T
/// p_t), so that its expectation is the same as with uniform timesteps.
///
/// Besides the seed and the position, draws depend only on which losses were recorded and in which
/// order. Ranks that should draw alike must record the losses of all ranks in the order of
/// positions.
public struct ImportanceTimesteps: Sendable {
  /// How many losses are kept per timestep.
  public static let depth = 10
  /// The share of the uniform distribution in the mixture.
  public static let uniformShare = 0.001

  /// T, the number of timesteps.
  public let steps: Int
  /// The losses, [T][depth], oldest first. They are f32, so that a file restores exactly what was
  /// saved.
  private var losses: [Float]
  /// How many losses are kept of each timestep.
  private var counts: [Int]
  /// p_t of each timestep, [T].
  public private(set) var probabilities: [Double] = []
  /// p_0 + ... + p_t.
  private var cumulative: [Double] = []

  /// Nothing recorded yet: draws are uniform.
  public init(steps: Int) {
    invariant(steps >= 1, "ImportanceTimesteps: \(steps) steps")
    self.steps = steps
    losses = [Float](repeating: 0, count: steps * Self.depth)
    counts = [Int](repeating: 0, count: steps)
    update()
  }

  /// Records losses without their weights, in the given order. Losses that are not finite are
  /// ignored: the update they belong to is skipped, and they would spoil the probabilities.
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

  /// Whether every timestep has 10 losses, so that draws are no longer uniform.
  public private(set) var isWarm = false

  /// The timestep of the image at `position` of the run, and the weight of its loss.
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

  /// Computes the probabilities from the recorded losses.
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
  /// How many values `state` has for T = `steps` timesteps.
  public static func stateCount(steps: Int) -> Int { steps * (depth + 1) }

  /// Everything that was recorded, for a checkpoint: T times 10 losses, oldest first and filled up
  /// with zeros, then T counts.
  public var state: [Float] { losses + counts.map(Float.init) }

  /// Restores what had the state `state`; nil if it belongs to another number of timesteps or is
  /// not a state at all.
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
