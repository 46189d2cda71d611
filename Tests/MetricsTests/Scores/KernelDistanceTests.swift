import Metrics
import NumericsSupport
import Scores
import TensorCore
import Testing

@Suite struct KernelDistanceTests {
  private let threads = threadPool(of: 2)

  /// Every pair by itself, in f64.
  private func plain(
    _ x: FeatureMatrix, _ y: FeatureMatrix, _ options: KernelDistance.Options
  ) -> (mean: Double, deviation: Double) {
    let width = x.width
    func kernel(_ a: FeatureMatrix, _ i: Int, _ b: FeatureMatrix, _ j: Int) -> Double {
      let product = (0..<width).reduce(0) {
        $0 + Double(a.values[i * width + $1]) * Double(b.values[j * width + $1])
      }
      let base = product * (options.gamma ?? 1 / Double(width)) + options.offset
      return (0..<options.degree).reduce(1) { power, _ in power * base }
    }
    var random = NumPyRandom(seed: options.seed)
    let size = Double(options.subsetSize)
    let values = (0..<options.subsets).map { _ -> Double in
      let chosen = random.choice(x.count, size: options.subsetSize)
      let others = random.choice(y.count, size: options.subsetSize)
      var (same, across) = (0.0, 0.0)
      for i in 0..<options.subsetSize {
        for j in 0..<options.subsetSize {
          across += kernel(x, chosen[i], y, others[j])
          guard i != j else { continue }
          same += kernel(x, chosen[i], x, chosen[j]) + kernel(y, others[i], y, others[j])
        }
      }
      return same / (size * (size - 1)) - 2 * across / (size * size)
    }
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (mean, (squares / Double(values.count)).squareRoot())
  }

  /// 300 is more than a tile.
  @Test(arguments: [
    KernelDistance.Options(subsets: 3, subsetSize: 20),
    KernelDistance.Options(subsets: 1, subsetSize: 300),
    KernelDistance.Options(subsets: 2, subsetSize: 7, seed: 1, degree: 2, gamma: 0.1, offset: 0.5),
  ])
  func theDefinition(_ options: KernelDistance.Options) throws {
    let (x, y) = (randomRows(310, 9, seed: 1), randomRows(305, 9, seed: 2, scale: 1.3))
    let expected = plain(x, y, options)
    let found = try KernelDistance.between(x, y, options, on: threads)
    #expect(abs(found.mean - expected.mean) < 1e-11 * abs(expected.mean))
    #expect(abs(found.deviation - expected.deviation) < 1e-10)
  }

  @Test func threadsDoNotShow() throws {
    let (x, y) = (randomRows(400, 30, seed: 1), randomRows(350, 30, seed: 2))
    let options = KernelDistance.Options(subsets: 5, subsetSize: 280)
    let alone = try KernelDistance.between(x, y, options, on: ThreadPool())
    #expect(try KernelDistance.between(x, y, options, on: try! ThreadPool(threadCount: 3)) == alone)
  }

  /// Unbiased: about zero for equal distributions.
  @Test func equalDistributionsAreAtDistanceZero() throws {
    let (x, y) = (randomRows(400, 10, seed: 1), randomRows(400, 10, seed: 2))
    let options = KernelDistance.Options(subsets: 50, subsetSize: 100)
    let same = try KernelDistance.between(x, y, options, on: threads)
    let other = try KernelDistance.between(
      x, randomRows(400, 10, seed: 2, shift: 2), options, on: threads)
    #expect(abs(same.mean) < same.deviation)
    #expect(other.mean > 10 * same.deviation, "\(other), \(same)")
  }

  @Test func bothSidesNeedASubset() {
    let (few, many) = (randomRows(999, 2, seed: 1), randomRows(1000, 2, seed: 2))
    #expect(
      throws: MetricsError.tooFewImages(metric: "kid", side: .samples, found: 999, needed: 1000)
    ) { try KernelDistance.between(few, many, on: threads) }
    #expect(
      throws: MetricsError.tooFewImages(metric: "kid", side: .reference, found: 999, needed: 1000)
    ) { try KernelDistance.between(many, few, on: threads) }
  }

  @Test func widthsMustAgree() {
    #expect(throws: MetricsError.widthMismatch(metric: "kid", samples: 2, reference: 3)) {
      try KernelDistance.between(
        randomRows(1000, 2, seed: 1), randomRows(1000, 3, seed: 2), on: threads)
    }
  }
}
