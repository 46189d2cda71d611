/// The extents of a tensor's axes, outermost first. Memory is always contiguous and row-major.
///
/// ```swift
/// import TensorCore
///
/// let images: Shape = [16, 32, 32, 3]
/// print(images.count, images.rows, images.channels)  // 49152 16384 3
/// ```
public struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
  /// The extent of each axis, outermost first; empty for a scalar.
  public let dimensions: [Int]

  /// A shape with these extents, each 0 or more.
  public init(_ dimensions: [Int]) {
    invariant(dimensions.allSatisfy { $0 >= 0 }, "Shape: negative extent in \(dimensions)")
    self.dimensions = dimensions
  }

  /// A shape written as a list, such as `[16, 32, 32, 3]`.
  public init(arrayLiteral elements: Int...) { self.init(elements) }

  /// Number of elements; 1 for a scalar (`[]`).
  public var count: Int { dimensions.reduce(1, *) }
  /// The number of axes; 0 for a scalar.
  public var rank: Int { dimensions.count }
  /// The extent of one axis, counted from the outermost, which is 0.
  public subscript(_ axis: Int) -> Int { dimensions[axis] }

  /// The innermost extent: the channels of an image or a token; 1 for a scalar.
  public var channels: Int { dimensions.last ?? 1 }
  /// How many rows of `channels` elements there are: the product of all other extents.
  public var rows: Int { dimensions.dropLast().reduce(1, *) }

  /// The extents in brackets, such as `[16, 32, 32, 3]`.
  public var description: String { "[\(dimensions.map(String.init).joined(separator: ", "))]" }
}
