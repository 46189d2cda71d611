/// The learning rate as a function of the images seen before the step: it rises linearly over
/// `warmup` images, and is constant afterwards.
public struct LearningRate: Sendable {
  /// The rate after the warm-up.
  public let peak: Double
  /// Length of the warm-up in images; 0 means the full rate from the start, otherwise the first
  /// step's rate is 0.
  public let warmup: Int

  /// A schedule with this peak and warm-up.
  public init(peak: Double, warmup: Int) { (self.peak, self.warmup) = (peak, warmup) }

  /// The rate of the step after `imagesSeen` images.
  public func callAsFunction(imagesSeen: Int) -> Double {
    warmup > 0 ? peak * min(1, Double(imagesSeen) / Double(warmup)) : peak
  }
}
