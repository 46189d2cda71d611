import Collectives
import Metrics
import NumericsSupport
import Scores
import TensorCore
import Testing

@Suite struct FeatureStatisticsTests {
  private let threads = threadPool(of: 2)

  /// More rows than a block, and more features than a tile.
  @Test(arguments: [(700, 5), (20, 300), (1100, 33)])
  func meanAndCovarianceAreTheTextbooks(count: Int, width: Int) throws {
    let rows = randomRows(count, width, seed: 3, shift: 1)
    var statistics = FeatureStatistics(width: width)
    statistics.add(rows, on: threads)
    let gaussian = try statistics.gaussian(on: threads)
    let (mean, covariance) = plainGaussian(rows)
    #expect(gaussian.count == count && gaussian.width == width)
    #expect(largestDifference(gaussian.mean, mean) < 1e-12)
    #expect(largestDifference(gaussian.covariance, covariance) < 1e-11)
  }

  @Test func batchesAndThreadsDoNotShow() throws {
    let rows = randomRows(1300, 270, seed: 4)
    var whole = FeatureStatistics(width: 270)
    whole.add(rows, on: threads)
    let expected = try whole.gaussian(on: threads)
    for (batch, count) in [(7, 1), (511, 3), (512, 2), (600, 1)] {
      let pool = try! ThreadPool(threadCount: count)
      var statistics = FeatureStatistics(width: 270)
      for start in stride(from: 0, to: 1300, by: batch) {
        statistics.add(rows.rows(start..<min(start + batch, 1300)), on: pool)
      }
      #expect(try statistics.gaussian(on: pool) == expected, "batches of \(batch)")
    }
  }

  /// Asking for a result in between leaves the sums as they are.
  @Test func resultsMayBeAskedForInBetween() throws {
    let rows = randomRows(900, 9, seed: 5)
    var statistics = FeatureStatistics(width: 9)
    statistics.add(rows.rows(0..<600), on: threads)
    let first = try statistics.gaussian(on: threads)
    let reduced = try statistics.reduced(over: SingleCommunicator(), on: threads)
    #expect(try reduced.gaussian(on: threads) == first)
    statistics.add(rows.rows(600..<900), on: threads)
    let covariance = try statistics.gaussian(on: threads).covariance
    #expect(largestDifference(covariance, plainGaussian(rows).covariance) < 1e-11)
  }

  /// A mean a thousand times the deviation takes six of f64's sixteen digits.
  @Test func meansFarFromZeroLeaveTheCovarianceAlone() throws {
    let rows = randomRows(2000, 6, seed: 6, shift: 3000)
    var statistics = FeatureStatistics(width: 6)
    statistics.add(rows, on: threads)
    let covariance = try statistics.gaussian(on: threads).covariance
    #expect(largestDifference(covariance, plainGaussian(rows).covariance) < 1e-7)
  }

  @Test(arguments: [0, 1])
  func aCovarianceNeedsTwoRows(count: Int) {
    var statistics = FeatureStatistics(width: 3)
    statistics.add(randomRows(count, 3, seed: 7), on: threads)
    #expect(
      throws: MetricsError.tooFewImages(
        metric: "Frechet distance", side: .reference, found: count, needed: 2)
    ) { try statistics.gaussian(of: .reference, on: threads) }
  }

  @Test func infiniteSumsAreRefused() {
    var statistics = FeatureStatistics(width: 2)
    statistics.add(FeatureMatrix(width: 2, values: [1, 2, .infinity, 3]), on: threads)
    #expect(throws: MetricsError.nonFiniteStatistics(width: 2)) {
      try statistics.gaussian(on: threads)
    }
  }

  @Test func covariancesOfAnotherShapeAreRefused() {
    #expect(throws: MetricsError.covarianceShape(mean: 2, covariance: 3)) {
      try FeatureGaussian(mean: [0, 0], covariance: [1, 0, 1], count: nil)
    }
  }
}
