import Metrics
import Scores
import Testing

/// Literal values are NumPy's own.
@Suite struct NumPyRandomTests {
  @Test func wordsAreThoseOfRandomState() {
    var random = NumPyRandom(seed: 2020)
    let words = (0..<5).map { _ in random.next() }
    #expect(words == [4_236_026_720, 639_299_976, 3_751_189_827, 2_669_525_622, 2_189_340_355])
  }

  private static let permutations: [(UInt32, [Int])] = [
    (2020, [2, 1, 11, 4, 10, 5, 7, 9, 6, 3, 8, 0]),
    (0, [6, 11, 4, 10, 2, 8, 1, 7, 9, 3, 0, 5]),
    (.max, [1, 7, 6, 0, 5, 4, 2, 3]),
  ]

  @Test(arguments: permutations)
  func permutationsOfAFew(seed: UInt32, expected: [Int]) {
    var random = NumPyRandom(seed: seed)
    #expect(random.permutation(expected.count) == expected)
  }

  /// The second draw goes on where the first ended.
  @Test func choicesFollowOneAnother() {
    var random = NumPyRandom(seed: 0)
    _ = random.permutation(12)
    #expect(random.choice(100, size: 8) == [83, 10, 24, 7, 67, 56, 63, 76])
  }

  @Test func shufflesValuesInPlace() {
    var random = NumPyRandom(seed: 7)
    var values = [1.5, 2.5, 3.5, 4.5, 5.5, 6.5]
    random.shuffle(&values)
    #expect(values == [4.5, 6.5, 1.5, 3.5, 2.5, 5.5])
  }

  @Test func longPermutations() {
    var random = NumPyRandom(seed: 2020)
    let many = random.permutation(50_000)
    #expect(many.prefix(5) == [24_397, 39_273, 6546, 13_504, 49_765])
    #expect(many.suffix(5) == [18_523, 44_739, 47_734, 40_259, 41_824])
    #expect(fingerprint(many) == 24_981_265_780)
    random = NumPyRandom(seed: 7)
    let million = random.permutation(1_000_003)
    #expect(million.prefix(4) == [351_172, 852_657, 376_386, 171_369])
    #expect(fingerprint(million) == 500_028_356_626)
  }

  /// Drawn after a permutation, from the same generator.
  @Test func twentySubsetsOfAThousand() {
    var random = NumPyRandom(seed: 2020)
    _ = random.permutation(50_000)
    let subsets = (0..<20).map { _ in random.choice(50_000, size: 1000) }
    #expect(subsets[19].prefix(5) == [32_698, 47_234, 42_252, 1669, 17_221])
    #expect(subsets.map(fingerprint).reduce(0, +) == 9_725_035_497)
  }

  @Test func nothingToShuffleDrawsNothing() {
    var random = NumPyRandom(seed: 2020)
    #expect(random.permutation(0).isEmpty && random.permutation(1) == [0])
    #expect(random.next(upTo: 0) == 0 && random.next() == 4_236_026_720)
  }

  private func fingerprint(_ values: [Int]) -> Int {
    values.enumerated().reduce(0) { $0 + $1.element * $1.offset % 1_000_003 }
  }
}
