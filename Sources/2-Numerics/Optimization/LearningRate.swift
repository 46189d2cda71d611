import TensorCore

/// The learning rate as a function of the images seen before the step: it rises linearly over
/// `warmup` images, follows `schedule`, and falls linearly to 0 over the last `cooldown` images.
///
/// ```swift
/// import Optimization
///
/// let rate = LearningRate(peak: 1e-3, warmup: 10_000, schedule: .cosine, images: 300_000)
/// print(rate(imagesSeen: 5_000), rate(imagesSeen: 155_000))  // half the peak on both sides
/// ```
public struct LearningRate: Sendable {
  /// How the rate goes on after the warm-up.
  public enum Schedule: Sendable, Hashable {
    /// It keeps its peak.
    case constant
    /// It keeps its peak up to `start` images, and is peak sqrt(start / n) after n images. Source:
    /// Karras et al., arXiv:2312.02696, and its training code.
    case inverseSquareRoot(start: Int)
    /// Half a period of a cosine, from the peak to 0 at the end of the run.
    case cosine
    /// A straight line from the peak to 0 at the end of the run.
    case linear
  }

  /// The highest rate.
  public let peak: Double
  /// Length of the warm-up in images; 0 means the full rate from the start, otherwise the first
  /// step's rate is 0.
  public let warmup: Int
  /// How the rate goes on after the warm-up.
  public let schedule: Schedule
  /// Length of the cool-down in images; 0: there is none.
  public let cooldown: Int
  /// Images of the whole run.
  public let images: Int

  /// A schedule. A constant one without a cool-down does not depend on the length of the run.
  public init(
    peak: Double, warmup: Int, schedule: Schedule = .constant, cooldown: Int = 0,
    images: Int = .max
  ) {
    invariant(
      warmup >= 0 && cooldown >= 0 && images > 0,
      "LearningRate: warm-up \(warmup), cool-down \(cooldown) of \(images) images")
    (self.peak, self.warmup, self.schedule) = (peak, warmup, schedule)
    (self.cooldown, self.images) = (cooldown, images)
  }

  /// The rate of the step after `imagesSeen` images.
  public func callAsFunction(imagesSeen: Int) -> Double {
    let rise = warmup > 0 ? min(1, Double(imagesSeen) / Double(warmup)) : 1
    let left = Double(max(images - imagesSeen, 0))
    let fall = cooldown > 0 ? min(1, left / Double(cooldown)) : 1
    return peak * rise * decay(imagesSeen) * fall
  }

  private func decay(_ imagesSeen: Int) -> Double {
    switch schedule {
    case .constant: return 1
    case .inverseSquareRoot(let start):
      return (Double(start) / Double(max(imagesSeen, start))).squareRoot()
    case .cosine:
      return (1 + PortableMath.sinCosOfTurns(progress(imagesSeen) / 2).cos) / 2
    case .linear: return 1 - progress(imagesSeen)
    }
  }

  /// The share of the way from the end of the warm-up to the end of the run, in [0, 1].
  private func progress(_ imagesSeen: Int) -> Double {
    guard images > warmup else { return imagesSeen < images ? 0 : 1 }
    return min(max(Double(imagesSeen - warmup) / Double(images - warmup), 0), 1)
  }
}
