import Collectives

extension FeatureMatrix {
  /// The first row with an element that is infinite or not a number; nil if there is none.
  package var firstNonFiniteRow: Int? {
    values.withUnsafeBufferPointer { $0.firstIndex { !$0.isFinite } }.map { $0 / width }
  }

  /// - Throws: `nonFiniteFeature`, with the first such row.
  func requireFinite(_ kind: FeatureKind) throws {
    if let row = firstNonFiniteRow {
      throw MetricsError.nonFiniteFeature(features: kind.rawValue, row: row)
    }
  }

  /// Rows `range`, copied.
  package func rows(_ range: Range<Int>) -> FeatureMatrix {
    FeatureMatrix(
      width: width, values: Array(values[range.lowerBound * width..<range.upperBound * width]))
  }

  /// Shows every rank every row, in the order of ranks, a block at a time; collective. Ranks may
  /// hold different numbers of rows, none included, of the same width.
  ///
  /// Memory and messages are bounded by a block, whatever the number of rows.
  ///
  /// - Parameters:
  ///   - extra: one more number for each of this rank's rows, which goes with it; none if empty.
  ///   - body: gets the rows and their extra numbers; must not communicate.
  func forEachBlock(
    of blockRows: Int, with extra: [Double] = [], over communicator: any Communicator,
    _ body: (FeatureMatrix, [Double]) -> Void
  ) throws(CommunicationError) {
    let counts = try communicator.gatherNumbers([Double(count)]).map { Int($0) }
    let extras = try communicator.anyRank(!extra.isEmpty)
    for owner in 0..<communicator.size {
      for start in stride(from: 0, to: counts[owner], by: blockRows) {
        let range = start..<min(start + blockRows, counts[owner])
        let own = owner == communicator.rank
        let block = try communicator.shared(
          own ? Array(values[range.lowerBound * width..<range.upperBound * width]) : nil,
          count: range.count * width, zero: 0, from: owner)
        let numbers =
          extras
          ? try communicator.shared(
            own ? Array(extra[range]) : nil, count: range.count, zero: 0, from: owner) : []
        body(FeatureMatrix(width: width, values: block), numbers)
      }
    }
  }

  /// All ranks' rows in the order of ranks, on the first rank; nil on the others, which need memory
  /// only for a block. Collective.
  package func gathered(
    over communicator: any Communicator
  ) throws(CommunicationError) -> FeatureMatrix? {
    guard communicator.size > 1 else { return self }
    let total = try communicator.sum(count)
    var all = [Float]()
    if communicator.rank == 0 { all.reserveCapacity(total * width) }
    try forEachBlock(of: 2048, over: communicator) { block, _ in
      if communicator.rank == 0 { all += block.values }
    }
    return communicator.rank == 0 ? FeatureMatrix(width: width, values: all) : nil
  }
}

extension Communicator {
  /// The numbers of rank `owner`, on every rank; all ranks know how many there are.
  fileprivate func shared<Number: BitwiseCopyable>(
    _ mine: [Number]?, count: Int, zero: Number, from owner: Int
  ) throws(CommunicationError) -> [Number] {
    var values = mine ?? [Number](repeating: zero, count: count)
    let status = values.withUnsafeMutableBytes { bytes in
      Result { () throws(CommunicationError) in try broadcast(bytes, from: owner) }
    }
    try status.get()
    return values
  }
}
