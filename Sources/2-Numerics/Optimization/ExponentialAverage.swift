import TensorCore

/// A moving average of the weights: exponential (EMA), with a half-life that is counted in images, or
/// of a power function. `Adam.update` moves it.
///
/// Source: arXiv:2206.00364, appendix F.2 and its training code: beta = 0.5^(batch / half-life).
/// The half-life is at most `rampup` times the images seen, so that the first average is a copy of
/// the first weights.
///
/// ```swift
/// import Optimization
/// import TensorCore
///
/// let weights = Tensor(zeros: [4096], on: ComputeContext())
/// let average = ExponentialAverage(
///   name: "default", halfLife: 500_000, rampup: 0.05, of: weights,
///   owned: OptimizerPartition(all: 4096))
/// print(average.beta(batch: 512, imagesSeen: 1_000_000))  // 0.5^(512 / 50,000)
/// ```
public struct ExponentialAverage {
  /// The name in checkpoints.
  public let name: String
  /// Number of images after which the contribution of an old weight has halved.
  public let halfLife: Double
  /// The largest half-life as a fraction of the images seen; 0 for no such limit.
  public let rampup: Double
  /// The averages of the owned parts of the flat weights, one part after the other, f32.
  public let values: Tensor
  /// What a power-function average averages with; nil: an exponential one.
  public let profile: PowerFunctionProfile?
  private let owned: OptimizerPartition

  /// Creates an average that starts as a copy of the weights.
  public init(
    name: String, halfLife: Double, rampup: Double, of weights: Tensor, owned: OptimizerPartition
  ) {
    (self.name, self.halfLife, self.rampup, self.owned) = (name, halfLife, rampup, owned)
    profile = nil
    values = Tensor([owned.count], on: weights.context)
    restart(at: weights)
  }

  /// Creates a power-function average that starts as a copy of the weights.
  public init(
    name: String, profile: PowerFunctionProfile, of weights: Tensor, owned: OptimizerPartition
  ) {
    (self.name, halfLife, rampup, self.owned) = (name, 0, 0, owned)
    self.profile = profile
    values = Tensor([owned.count], on: weights.context)
    restart(at: weights)
  }

  /// Starts again as a copy of the weights.
  public func restart(at weights: Tensor) {
    for (kept, flat) in zip(owned.views(ofKept: values), owned.views(ofFlat: weights)) {
      kept.copy(from: flat)
    }
  }

  /// The weight of the old average in the next update.
  ///
  /// - Parameters:
  ///   - batch: images of the step.
  ///   - imagesSeen: images of the run before the step.
  public func beta(batch: Int, imagesSeen: Int) -> Double {
    if let profile { return profile.beta(batch: batch, imagesSeen: imagesSeen) }
    let limit = rampup > 0 ? min(halfLife, Double(imagesSeen) * rampup) : halfLife
    return limit > 0 ? PortableMath.pow(0.5, Double(batch) / limit) : 0
  }
}
