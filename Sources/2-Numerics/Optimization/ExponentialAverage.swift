import TensorCore

/// An exponential moving average of the weights, with its half-life in images; `Adam.update` moves it.
///
/// Source: arXiv:2206.00364, appendix F.2 and its training code: beta = 0.5^(batch / half-life), the
/// half-life at most `rampup` times the images seen, so that the first average is the first weights.
public struct ExponentialAverage {
  public let name: String
  /// Images after which an old weight counts half.
  public let halfLife: Double
  /// 0: none.
  public let rampup: Double
  /// Of the owned parts of the flat range.
  public let values: Tensor
  private let owned: OptimizerPartition

  /// Starts as a copy of the weights.
  public init(
    name: String, halfLife: Double, rampup: Double, of weights: Tensor, owned: OptimizerPartition
  ) {
    (self.name, self.halfLife, self.rampup, self.owned) = (name, halfLife, rampup, owned)
    values = Tensor([owned.count], on: weights.context)
    restart(at: weights)
  }

  /// Forgets what it has seen.
  public func restart(at weights: Tensor) {
    for (kept, flat) in zip(owned.views(ofKept: values), owned.views(ofFlat: weights)) {
      kept.copy(from: flat)
    }
  }

  /// - Parameter imagesSeen: before the step.
  public func beta(batch: Int, imagesSeen: Int) -> Double {
    let limit = rampup > 0 ? min(halfLife, Double(imagesSeen) * rampup) : halfLife
    return limit > 0 ? PortableMath.pow(0.5, Double(batch) / limit) : 0
  }
}
