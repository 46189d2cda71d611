import TensorCore

/// Collective operations on values instead of memory.
extension Communicator {
  /// Reduces each entry over the ranks (all-reduce); all ranks pass the same number of entries.
  /// Collective.
  package func reduce<Element: Reducible>(
    _ values: [Element], _ reduction: Reduction
  ) throws(CommunicationError) -> [Element] {
    var values = values
    let status = values.withUnsafeMutableBufferPointer { pointer in
      Result { () throws(CommunicationError) in try reduce(pointer, reduction) }
    }
    try status.get()
    return values
  }

  /// Reduces one value over the ranks (all-reduce). Collective.
  package func reduce<Element: Reducible>(
    _ value: Element, _ reduction: Reduction
  ) throws(CommunicationError) -> Element {
    try reduce([value], reduction)[0]
  }

  /// The sums over the ranks of losses, counts or times. Collective.
  package func sum(_ values: [Double]) throws(CommunicationError) -> [Double] {
    try reduce(values, .sum)
  }

  /// The sum over the ranks of a count. Collective.
  package func sum(_ value: Int) throws(CommunicationError) -> Int {
    Int(try reduce(Int64(value), .sum))
  }

  /// Sums an f32 tensor over the ranks, in place. Collective.
  package func sum(_ tensor: Tensor) throws(CommunicationError) {
    let status = tensor.withFloats { floats in
      Result { () throws(CommunicationError) in
        try reduce(UnsafeMutableBufferPointer(start: floats, count: tensor.count), .sum)
      }
    }
    try status.get()
  }

  /// Overwrites a tensor with that of rank `root`. Collective.
  package func broadcast(_ tensor: Tensor, from root: Int = 0) throws(CommunicationError) {
    let status = tensor.withBytes { bytes in
      Result { () throws(CommunicationError) in try broadcast(bytes, from: root) }
    }
    try status.get()
  }

  /// The bytes of rank `root`; the other ranks need not know how many there are. Collective.
  package func broadcast(_ bytes: [UInt8], from root: Int = 0) throws(CommunicationError) -> [UInt8]
  {
    let count = try reduce(Int64(rank == root ? bytes.count : 0), .max)
    var received = rank == root ? bytes : [UInt8](repeating: 0, count: Int(count))
    let status = received.withUnsafeMutableBytes { pointer in
      Result { () throws(CommunicationError) in try broadcast(pointer, from: root) }
    }
    try status.get()
    return received
  }

  /// The bytes of every rank, in the order of ranks; ranks may pass different numbers of bytes
  /// (all-gather). Every rank holds all of them, padded to the longest while they travel.
  /// Collective.
  package func gather(_ mine: [UInt8]) throws(CommunicationError) -> [[UInt8]] {
    let counts = try gatherEqual(withUnsafeBytes(of: Int64(mine.count)) { Array($0) })
      .map { bytes in bytes.withUnsafeBytes { Int($0.loadUnaligned(as: Int64.self)) } }
    let longest = counts.max() ?? 0
    let padding = [UInt8](repeating: 0, count: longest - mine.count)
    let blocks = try gatherEqual(mine + padding)
    return zip(blocks, counts).map { block, count in Array(block.prefix(count)) }
  }

  /// The host name of every rank, in the order of ranks. Collective.
  package func hosts() throws(CommunicationError) -> [String] {
    try gather(Array(host.utf8)).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The bytes of every rank, in the order of ranks; all ranks pass the same number of bytes.
  /// Collective.
  package func gatherEqual(_ mine: [UInt8]) throws(CommunicationError) -> [[UInt8]] {
    var all = [UInt8](repeating: 0, count: mine.count * size)
    let status = mine.withUnsafeBytes { from in
      all.withUnsafeMutableBytes { to in
        Result { () throws(CommunicationError) in try gather(from, into: to) }
      }
    }
    try status.get()
    return (0..<size).map { Array(all[$0 * mine.count..<($0 + 1) * mine.count]) }
  }

  /// The numbers of every rank, one rank after the other; all ranks pass the same number of them.
  /// Collective.
  package func gatherNumbers(_ mine: [Double]) throws(CommunicationError) -> [Double] {
    let bytes = mine.withUnsafeBytes { Array($0) }
    return try gatherEqual(bytes).flatMap { bytes in
      bytes.withUnsafeBytes { Array($0.bindMemory(to: Double.self)) }
    }
  }

  /// The values of all ranks, in the order of ranks, on every rank; ranks may pass different
  /// numbers of values. Collective.
  package func gather<Element: BitwiseCopyable>(
    values: [Element]
  ) throws(CommunicationError) -> [Element] {
    try gather(values.withUnsafeBytes { Array($0) }).flatMap { bytes in
      bytes.withUnsafeBytes { Array($0.bindMemory(to: Element.self)) }
    }
  }

  /// This rank's part of `count` pieces of work, counted from 0; see `Range.share(rank:of:)`.
  package func share(of count: Int) -> Range<Int> { share(of: 0..<count) }

  /// This rank's part of a range of work, such as images or seeds; see `Range.share(rank:of:)`.
  package func share<Bound: FixedWidthInteger>(of range: Range<Bound>) -> Range<Bound>
  where Bound.Stride: SignedInteger {
    range.share(rank: rank, of: size)
  }
}

extension Range where Bound: FixedWidthInteger, Bound.Stride: SignedInteger {
  /// The part of the range that rank `rank` of `ranks` works on.
  ///
  /// The parts follow each other in the order of ranks, make up the whole range, and differ by at
  /// most one element; with more ranks than elements some parts are empty.
  package func share(rank: Int, of ranks: Int) -> Range {
    lowerBound + Bound(count * rank / ranks)..<lowerBound + Bound(count * (rank + 1) / ranks)
  }
}
