import TensorCore

/// Buckets: consecutive parts of the flat gradients, each of which is all-reduced as a whole. The
/// flat order is the order in which backward finishes gradients, so the first bucket is complete
/// first.
///
/// The last buckets become smaller and smaller, because nothing is left to hide the communication
/// of the gradients that are finished last.
package struct GradientBuckets: Sendable, Equatable {
  /// Buckets and pieces are cut at multiples of this many elements, which is the block of the
  /// reproducible gradient norm.
  package static let granule = 4096
  /// The size in bytes down to which the last buckets are halved.
  static let leastBytes = 1 << 20

  /// The element range of each bucket, in order and without gaps.
  package let ranges: [Range<Int>]

  /// Cuts flat gradients into buckets.
  ///
  /// - Parameters:
  ///   - count: f32 elements of the flat gradients.
  ///   - bucketMB: size of a bucket in MB (10^6 bytes), rounded up to whole granules.
  package init(count: Int, bucketMB: Double) {
    invariant(count >= 0, "GradientBuckets: \(count) elements")
    invariant(
      bucketMB > 0 && bucketMB.isFinite, "GradientBuckets: bucket_mb is \(bucketMB), not positive")
    let granules = max(
      1, Int(min((bucketMB * 1e6 / 4 / Double(Self.granule)).rounded(.up), 0x1p40)))
    let least = min(granules, Self.leastBytes / 4 / Self.granule)
    var ranges: [Range<Int>] = []
    var (start, left) = (0, (count + Self.granule - 1) / Self.granule)
    while left > 0 {
      let taken = left > granules ? granules : left > 2 * least ? (left + 1) / 2 : left
      let end = min(start + taken * Self.granule, count)
      ranges.append(start..<end)
      (start, left) = (end, left - taken)
    }
    self.ranges = ranges
  }

  /// Elements of the flat gradients.
  package var count: Int { ranges.last?.upperBound ?? 0 }

  /// The buckets that contain elements of `range`.
  package func indices(touching range: Range<Int>) -> Range<Int> {
    invariant(
      range.lowerBound >= 0 && range.upperBound <= count,
      "GradientBuckets: \(range) is outside of 0..<\(count)")
    guard !range.isEmpty else { return 0..<0 }
    return index(of: range.lowerBound)..<index(of: range.upperBound - 1) + 1
  }

  private func index(of element: Int) -> Int {
    var (low, high) = (0, ranges.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound > element { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// A tag that distinguishes the bucket's messages from others in flight; the next number is
  /// reserved too.
  func tag(of bucket: Int) -> Int { 2 * bucket % 32768 }

  /// The piece of a bucket that each rank adds up, and that it keeps if the optimiser is sharded. A
  /// piece begins and ends at whole granules and may be empty.
  package func pieces(of bucket: Int, ranks: Int) -> [Range<Int>] {
    let range = ranges[bucket]
    let granules = (range.count + Self.granule - 1) / Self.granule
    func cut(_ rank: Int) -> Int {
      min(range.lowerBound + granules * rank / ranks * Self.granule, range.upperBound)
    }
    return (0..<ranks).map { cut($0)..<cut($0 + 1) }
  }
}
