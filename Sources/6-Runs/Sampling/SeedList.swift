import CommandSupport

/// Seeds of images to sample, as ranges: `0-63,70`. In the order written, each at most once.
package struct SeedList: Equatable, Sendable, CustomStringConvertible {
  /// First and last seed of each range, in the order written.
  package let ranges: [ClosedRange<UInt64>]

  /// The most seeds that one list may have.
  package static let largestCount: UInt64 = 1_000_000_000

  /// Reads seeds and `first-last` ranges separated by commas, the value of `--seeds`.
  package init(_ text: String) throws(OptionError) {
    func refused(_ expected: String) -> OptionError {
      OptionError(option: "--seeds", found: text, expected: expected)
    }
    var ranges: [ClosedRange<UInt64>] = []
    var count: UInt64 = 0
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map {
        $0.allSatisfy(\.isASCII) ? UInt64($0) : nil
      }
      guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil else {
        throw refused("seeds and ranges such as 0-63,70")
      }
      guard first <= last else { throw refused("ranges that rise, such as \(last)-\(first)") }
      let span = last - first
      guard span < SeedList.largestCount, count + span < SeedList.largestCount else {
        throw refused("at most \(SeedList.largestCount) seeds")
      }
      guard !ranges.contains(where: { $0.overlaps(first...last) }) else {
        throw refused("each seed once; \(part) repeats one")
      }
      ranges.append(first...last)
      count += span + 1
    }
    self.ranges = ranges
  }

  /// The ranges as they are written, `0-63,70`.
  package var description: String {
    ranges.map { range in
      range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
    }.joined(separator: ",")
  }
}

extension SeedList: RandomAccessCollection {
  /// 0.
  package var startIndex: Int { 0 }
  /// The number of seeds.
  package var endIndex: Int { ranges.reduce(0) { $0 + $1.count } }

  /// The seed of image `position`.
  package subscript(position: Int) -> UInt64 {
    var left = position
    for range in ranges {
      if left < range.count { return range.lowerBound + UInt64(left) }
      left -= range.count
    }
    fatalError("SeedList: image \(position) of \(count)")
  }
}
