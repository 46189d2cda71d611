import TensorCore

/// Adam with decoupled weight decay (AdamW) over a flat range.
///
/// Source: Kingma and Ba, arXiv:1412.6980, Algorithm 1 (epsilon outside the root, as PyTorch);
/// Loshchilov and Hutter, arXiv:1711.05101. Moments and update in f32.
public struct Adam {
  public var betas: (Double, Double)
  public var epsilon: Double
  public var weightDecay: Double
  /// First and second moments of the range this rank updates.
  public let (first, second): (Tensor, Tensor)
  /// Updates done; part of the run's state.
  public var updates: Int

  public init(
    count: Int, betas: (Double, Double), epsilon: Double, weightDecay: Double, on engine: Engine
  ) {
    (self.betas, self.epsilon, self.weightDecay) = (betas, epsilon, weightDecay)
    (first, second) = (Tensor(zeros: [count], on: engine), Tensor(zeros: [count], on: engine))
    updates = 0
  }

  /// One update of `weights`, in place.
  ///
  /// - Parameter factor: multiplies the gradients first (clipping).
  public mutating func update(
    _ weights: Tensor, gradients: Tensor, learningRate: Double, factor: Float
  ) {
    invariant(
      weights.count == first.count && gradients.count == first.count,
      "Adam: weights \(weights.shape), gradients \(gradients.shape), moments \(first.shape)")
    updates += 1
    let correction1 = 1 - power(betas.0, updates)
    let correction2 = 1 - power(betas.1, updates)
    let engine = weights.engine
    withFloats(gradients, first, second, weights) { g, m, v, w in
      engine.threads.forRanges(of: weights.count, grain: 4096) { range in
        engine.kernels.table.pointee.adam(
          g, factor, Float(1 - betas.0), Float(betas.1), Float(1 - betas.1),
          Float(learningRate / correction1),
          Float(correction2.squareRoot()), Float(epsilon), Float(1 - learningRate * weightDecay),
          Int64(range.lowerBound), Int64(range.upperBound), m, v, w)
      }
    }
  }

  private func power(_ base: Double, _ exponent: Int) -> Double {
    var (result, square, left) = (1.0, base, exponent)
    while left > 0 {
      if left & 1 == 1 { result *= square }
      square *= square
      left >>= 1
    }
    return result
  }
}
