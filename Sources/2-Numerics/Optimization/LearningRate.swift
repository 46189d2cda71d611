/// The learning rate as a function of images seen before the step: a linear ramp over `warmup` images,
/// then constant.
public struct LearningRate: Sendable {
  public let peak: Double
  /// 0: the full rate from the start; else the first step's rate is 0.
  public let warmup: Int

  public init(peak: Double, warmup: Int) { (self.peak, self.warmup) = (peak, warmup) }

  public func callAsFunction(imagesSeen: Int) -> Double {
    warmup > 0 ? peak * min(1, Double(imagesSeen) / Double(warmup)) : peak
  }
}
