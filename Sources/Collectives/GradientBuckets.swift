import TensorCore

/// The flat gradient range, cut into consecutive buckets that travel one by one. The flat order is
/// the order in which backward finishes gradients, so the first bucket is complete first.
public struct GradientBuckets: Sendable, Equatable {
  /// Cuts fall on multiples of this, the block of the reproducible gradient norm.
  public static let granule = 4096

  /// Element ranges, in order, without gaps.
  public let ranges: [Range<Int>]

  /// - Parameters:
  ///   - count: f32 elements of the flat range.
  ///   - bucketMB: size of a bucket in MB (10^6 bytes), rounded up to whole granules.
  public init(count: Int, bucketMB: Double) {
    invariant(count >= 0, "GradientBuckets: \(count) elements")
    invariant(
      bucketMB > 0 && bucketMB.isFinite, "GradientBuckets: bucket_mb is \(bucketMB), not positive")
    let granules = min((bucketMB * 1e6 / 4 / Double(Self.granule)).rounded(.up), 0x1p40)
    let length = max(1, Int(granules)) * Self.granule
    ranges = stride(from: 0, to: count, by: length).map { $0..<min($0 + length, count) }
  }

  public var count: Int { ranges.last?.upperBound ?? 0 }

  /// The buckets that hold elements of `range`.
  public func indices(touching range: Range<Int>) -> Range<Int> {
    invariant(
      range.lowerBound >= 0 && range.upperBound <= count,
      "GradientBuckets: \(range) is outside of 0..<\(count)")
    guard let length = ranges.first?.count, !range.isEmpty else { return 0..<0 }
    return range.lowerBound / length..<(range.upperBound - 1) / length + 1
  }
}
