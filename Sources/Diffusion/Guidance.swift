/// Classifier-free guidance, D = D_u + scale (D_c - D_u), where the noise level lies in an interval;
/// elsewhere the conditional guess D_c alone, which costs one network call instead of two.
///
/// Source: Ho and Salimans, arXiv:2207.12598; the interval is that of Kynkäänniemi et al.,
/// arXiv:2404.07724, eq. (5).
public struct Guidance: Sendable, Hashable {
  /// 1: none.
  public var scale: Double
  /// Noise levels, standard deviations on images in [-1, 1]. Both ends are part of it.
  public var interval: ClosedRange<Double>

  public init(scale: Double = 1, interval: ClosedRange<Double> = 0...(.infinity)) {
    (self.scale, self.interval) = (scale, interval)
  }

  /// Whether the unconditional guess is needed.
  public func applies(at sigma: Double) -> Bool { scale != 1 && interval.contains(sigma) }
}
