import FixtureSupport
import NumericsSupport
import Optimization
import TensorCore
import Testing

@Suite struct MuonTests {
  /// The golden's tensors in one flat vector, with elements between them that are none.
  private static let gap = 16

  private func matrices(_ golden: RecipeGolden.Muon) -> (all: [MatrixParameter], count: Int) {
    var (all, start) = ([MatrixParameter](), Self.gap)
    for tensor in golden.tensors {
      let end = start + tensor.weights.count
      all.append(MatrixParameter(start..<end, rows: tensor.rows, parts: tensor.parts))
      start = end + Self.gap
    }
    return (all, start)
  }

  /// Three updates by ranks that hold these pieces, and exchange as training does.
  private func weights(
    _ golden: RecipeGolden.Muon, partitions: [[Range<Int>]], on context: ComputeContext
  ) -> [Float] {
    let (matrices, count) = matrices(golden)
    var start = [Float](repeating: 0.5, count: count)
    for (index, matrix) in matrices.enumerated() {
      start.replaceSubrange(matrix.range, with: RecipeGolden.walk(matrix.range.count, 100 + index))
    }
    let weights = Tensor(start, [count], on: context)
    let ranks = partitions.map { pieces in
      let owned = OptimizerPartition(pieces)
      return (
        muon: Muon(matrices, owned: owned), momentum: Tensor(zeros: [owned.count], on: context)
      )
    }
    let shares = MatrixParameter.shares(of: matrices, ranks: ranks.count)
    for step in 0..<3 {
      let gradients = Tensor(zeros: [count], on: context)
      for (index, matrix) in matrices.enumerated() {
        let values = RecipeGolden.walk(matrix.range.count, 1000 + 10 * index + step)
        gradients.view(at: matrix.range.lowerBound, [matrix.range.count]).copy(
          from: Tensor(values, [matrix.range.count], on: context))
      }
      for rank in ranks {
        rank.muon.accumulate(gradients, factor: Float(golden.factor), momentum: rank.momentum)
      }
      for (rank, share) in zip(ranks, shares) { rank.muon.orthogonalize(gradients, share) }
      for rank in ranks {
        rank.muon.apply(
          gradients, to: weights, learningRate: golden.rate, weightDecay: golden.decay)
      }
    }
    return weights.floats
  }

  /// Tall, wide, a convolution and three side by side, against NumPy in f64.
  @Test(arguments: Setup.all) func againstNumPy(_ setup: Setup) throws {
    let golden = try RecipeGolden.read().muon
    let (matrices, count) = matrices(golden)
    let found = weights(golden, partitions: [[0..<count]], on: setup.context)
    for (matrix, expected) in zip(matrices, golden.tensors) {
      #expect(
        relativeError(Array(found[matrix.range]), expected.weights) < 1e-5, "\(expected.rows)")
    }
    let others = found.indices.filter { index in !matrices.contains { $0.range.contains(index) } }
    #expect(others.allSatisfy { found[$0] == 0.5 }, "elements that are no matrix's")
  }

  /// The same bits on any number of threads, and whoever holds and computes what.
  @Test func sameBitsOnThreadsAndShares() throws {
    let golden = try RecipeGolden.read().muon
    let count = matrices(golden).count
    for level in Setup.levels {
      let expected = weights(
        golden, partitions: [[0..<count]], on: Setup(level, threads: 1).context
      ).bits
      for threads in [2, 3] {
        let context = Setup(level, threads: threads).context
        #expect(weights(golden, partitions: [[0..<count]], on: context).bits == expected)
      }
      let context = Setup(level, threads: 1).context
      for cuts in [[0, 300, count], [0, 17, 18, 900, 901, count], [0, 1000, count, count]] {
        let partitions = zip(cuts, cuts.dropFirst()).map { [$0..<$1] }
        #expect(weights(golden, partitions: partitions, on: context).bits == expected, "\(cuts)")
      }
      let alternating = (0..<3).map { rank in
        stride(from: rank * 64, to: count, by: 192).map { $0..<min($0 + 64, count) }
      }
      #expect(weights(golden, partitions: alternating, on: context).bits == expected)
    }
  }

  /// Every matrix has one owner, owners have consecutive matrices, and none has far more than its part.
  @Test func sharesCoverTheMatrices() {
    let matrices = (0..<40).map { MatrixParameter($0 * 4096..<$0 * 4096 + 1024, rows: 32) }
    for ranks in [1, 2, 3, 7, 40, 64] {
      let shares = MatrixParameter.shares(of: matrices, ranks: ranks)
      #expect(shares.count == ranks)
      #expect(shares.flatMap { Array($0) } == Array(0..<40))
      #expect(shares.allSatisfy { $0.count <= (40 + ranks - 1) / ranks + 1 }, "\(ranks) ranks")
    }
  }

  /// Adam leaves excluded ranges and their moments alone, and updates the rest as it does without.
  @Test func adamExcludesMatrices() {
    let context = ComputeContext()
    let count = 9000
    let pieces = [0..<4096, 8192..<count]
    func run(_ excluded: [Range<Int>]) -> (weights: [Float], first: [Float]) {
      let weights = Tensor(values(count, 1), [count], on: context)
      let gradients = Tensor(values(count, 2), [count], on: context)
      var adam = Adam(
        owned: OptimizerPartition(pieces), betas: (0.9, 0.99), epsilon: 1e-8, weightDecay: 0.1,
        excluding: excluded, on: context)
      for _ in 0..<2 { adam.update(weights, gradients: gradients, learningRate: 0.1, factor: 1) }
      return (weights.floats, adam.first.floats)
    }
    let (whole, some) = (run([]), run([100..<200, 4000..<8300]))
    for index in 0..<count {
      let isOwned = pieces.contains { $0.contains(index) }
      let isExcluded = (100..<200).contains(index) || (4000..<8300).contains(index)
      if !isOwned || isExcluded { continue }
      #expect(some.weights[index] == whole.weights[index])
    }
    let untouched = values(count, 1)
    #expect((100..<200).allSatisfy { some.weights[$0] == untouched[$0] && some.first[$0] == 0 })
    #expect((8192..<8300).allSatisfy { some.weights[$0] == untouched[$0] })
    #expect((8192..<8300).allSatisfy { some.first[$0 - 4096] == 0 })
  }

  /// An average of the owned parts follows the new weights.
  @Test func averagesFollow() {
    let context = ComputeContext()
    let weights = Tensor([1, 2, 3, 4], [4], on: context)
    let owned = OptimizerPartition([2..<4])
    let average = ExponentialAverage(
      name: "ema", halfLife: 10, rampup: 0, of: weights, owned: owned)
    let muon = Muon([MatrixParameter(0..<4, rows: 2)], owned: owned)
    let update = Tensor([1, 1, 1, 1], [4], on: context)
    muon.apply(
      update, to: weights, learningRate: 1, weightDecay: 0, averages: [(average, beta: 0.75)])
    #expect(weights.floats == [1, 2, 2, 3])
    #expect(average.values.floats == [2.75, 3.75])
  }
}
