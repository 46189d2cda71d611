/// The extents of a tensor, outermost first. Memory is always contiguous and row-major.
public struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
  public let dimensions: [Int]

  public init(_ dimensions: [Int]) {
    invariant(dimensions.allSatisfy { $0 >= 0 }, "Shape: negative extent in \(dimensions)")
    self.dimensions = dimensions
  }

  public init(arrayLiteral elements: Int...) { self.init(elements) }

  /// Number of elements; 1 for a scalar (`[]`).
  public var count: Int { dimensions.reduce(1, *) }
  public var rank: Int { dimensions.count }
  public subscript(_ axis: Int) -> Int { dimensions[axis] }

  /// The innermost extent: channels of an image or a token; 1 for a scalar.
  public var channels: Int { dimensions.last ?? 1 }
  /// How many rows of `channels` elements there are.
  public var rows: Int { dimensions.dropLast().reduce(1, *) }

  public var description: String { "[\(dimensions.map(String.init).joined(separator: ", "))]" }
}
