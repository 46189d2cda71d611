import Benchmarking
import Foundation
import TensorCore
import Testing

/// A ring whose times are known.
@Suite struct ScalingFitTests {
  private let truth = RingModel(
    latency: 25e-6, linkSecondsPerByte: 0.8e-9, ownSecondsPerByte: 0.3e-9)

  private func points(
    _ model: RingModel, ranks: [Int], noise: (Int) -> Double = { _ in 0 }
  ) -> [ScalingPoint] {
    var index = 0
    return ranks.flatMap { count in
      (3...13).map { size in
        defer { index += 1 }
        let bytes = 1 << (2 * size)
        return ScalingPoint(
          ranks: count, bytes: bytes,
          seconds: model.seconds(ranks: count, bytes: bytes) * (1 + noise(index)))
      }
    }
  }

  private func isClose(_ a: Double, _ b: Double, _ tolerance: Double) -> Bool {
    abs(a - b) <= tolerance * abs(b)
  }

  /// 2 (p - 1) a + 2 (p - 1) / p S / B + c S, by hand: 6 x 1 us + 1.5 x 1 MB / 1 GB/s + 1 MB x 0.1 ns.
  @Test func timesFollowTheFormula() {
    let ring = RingModel(latency: 1e-6, linkSecondsPerByte: 1e-9, ownSecondsPerByte: 1e-10)
    #expect(isClose(ring.seconds(ranks: 4, bytes: 1_000_000), 6e-6 + 1.5e-3 + 1e-4, 1e-12))
    #expect(ring.seconds(ranks: 1, bytes: 1_000_000) == 0)
  }

  @Test func exactPointsGiveTheConstantsBack() throws {
    let fit = try #require(RingModel(fitting: points(truth, ranks: [2, 4, 8])))
    #expect(isClose(fit.latency, truth.latency, 1e-7))
    #expect(isClose(fit.linkSecondsPerByte, truth.linkSecondsPerByte, 1e-7))
    #expect(isClose(fit.ownSecondsPerByte, truth.ownSecondsPerByte, 1e-7))
  }

  @Test func noiseOfFivePercentIsAveragedOut() throws {
    let stream = RandomStream(seed: 1, .test, position: 0)
    let noisy = points(truth, ranks: [2, 3, 4, 8, 16]) { 0.05 * (2 * stream.uniform($0) - 1) }
    let fit = try #require(RingModel(fitting: noisy))
    #expect(isClose(fit.latency, truth.latency, 0.02))
    // 1 / B and c share the large sums: their total is what is known well.
    #expect(isClose(fit.linkSecondsPerByte, truth.linkSecondsPerByte, 0.15))
    #expect(isClose(fit.ownSecondsPerByte, truth.ownSecondsPerByte, 0.6))
    let large = fit.seconds(ranks: 64, bytes: 1 << 26) / truth.seconds(ranks: 64, bytes: 1 << 26)
    #expect(abs(large - 1) < 0.05)
  }

  /// A relative error of the linear kind would rather forget a point than double another.
  @Test func twiceTheTimeCountsAsMuchAsHalfOfIt() throws {
    let pair = [1e-3, 4e-3].map { ScalingPoint(ranks: 2, bytes: 1 << 20, seconds: $0) }
    let fit = try #require(RingModel(fitting: pair))
    #expect(isClose(fit.seconds(ranks: 2, bytes: 1 << 20), 2e-3, 1e-6))
  }

  @Test func oneNumberOfRanksPutsOwnCostsIntoTheLink() throws {
    let fit = try #require(RingModel(fitting: points(truth, ranks: [2])))
    #expect(fit.ownSecondsPerByte == 0)
    // 2 (p - 1) / p is 1.
    #expect(isClose(fit.linkSecondsPerByte, 1.1e-9, 1e-7))
    #expect(isClose(fit.latency, truth.latency, 1e-7))
  }

  @Test func noConstantIsNegative() throws {
    // Faster with more ranks than any ring: the best that a ring can do is a cost of its own.
    let odd = [2, 4, 8].flatMap { ranks in
      [1 << 16, 1 << 24].map {
        ScalingPoint(ranks: ranks, bytes: $0, seconds: 1e-9 * Double($0) / Double(ranks))
      }
    }
    let fit = try #require(RingModel(fitting: odd))
    let all = [fit.latency, fit.linkSecondsPerByte, fit.ownSecondsPerByte]
    #expect(all.allSatisfy { $0 >= 0 } && all.contains { $0 > 0 })
    #expect(RingModel(fitting: []) == nil)
    #expect(RingModel(fitting: [ScalingPoint(ranks: 1, bytes: 8, seconds: 1)]) == nil)
  }

  @Test func whatWasHeldOutIsPredicted() {
    let exact = ScalingValidation.all(points(truth, ranks: [2, 4, 8]))
    #expect(exact.map(\.heldOut) == ["every second size", "2 ranks", "4 ranks", "8 ranks"])
    #expect(exact.map(\.points) == [15, 11, 11, 11])
    #expect(exact.allSatisfy { $0.maxError < 1e-6 && $0.maxErrorFrom1MiB ?? 1 < 1e-6 })
    // Eight ranks that take twice as long as a ring are seen where they are held out.
    let odd = points(truth, ranks: [2, 4, 8]).map {
      ScalingPoint(ranks: $0.ranks, bytes: $0.bytes, seconds: $0.seconds * ($0.ranks == 8 ? 2 : 1))
    }
    let eight = ScalingValidation.all(odd).last
    #expect(eight?.heldOut == "8 ranks" && isClose(eight?.medianError ?? 0, 0.5, 1e-6))
    #expect(
      ScalingValidation.all(points(truth, ranks: [2])).map(\.heldOut) == ["every second size"])
    #expect(ScalingValidation.all([]).isEmpty)
  }
}
