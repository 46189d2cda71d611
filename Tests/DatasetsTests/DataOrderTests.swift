import Datasets
import Testing

@Suite struct DataOrderTests {
  @Test(arguments: [1, 2, 7, 1000]) func everyEpochHoldsEveryImageOnce(count: Int) {
    let order = DataOrder(seed: 3, count: count)
    for epoch in 0..<3 {
      let indices = (0..<count).map { order.index(at: UInt64(epoch * count + $0)) }
      #expect(indices.sorted() == Array(0..<count))
    }
  }

  @Test func epochsAndSeedsDiffer() {
    func epoch(_ order: DataOrder, _ epoch: Int) -> [Int] {
      (0..<100).map { order.index(at: UInt64(epoch * 100 + $0)) }
    }
    let (a, b) = (DataOrder(seed: 1, count: 100), DataOrder(seed: 2, count: 100))
    #expect(epoch(a, 0) != epoch(a, 1))
    #expect(epoch(a, 0) != epoch(b, 0))
    #expect(epoch(a, 0) != Array(0..<100))
  }

  /// Positions are asked for in any order, far apart, and by a fresh object after a restart.
  @Test func isAFunctionOfPosition() {
    let order = DataOrder(seed: 9, count: 50)
    let positions: [UInt64] = (0..<400).map { $0 * 37 % 400 } + [1 << 40, 5, 1 << 40]
    for position in positions {
      #expect(
        order.index(at: position) == DataOrder(seed: 9, count: 50).index(at: position))
    }
  }

  /// Over many epochs each image comes first about equally often.
  @Test func firstPlacesAreUniform() {
    let order = DataOrder(seed: 4, count: 4)
    var counts = [0, 0, 0, 0]
    for epoch in 0..<4000 { counts[order.index(at: UInt64(epoch * 4))] += 1 }
    #expect(counts.allSatisfy { abs($0 - 1000) < 120 }, "\(counts)")
  }
}
